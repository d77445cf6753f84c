//! Which color a task or chunk has, and the legend that explains it.

use std::collections::HashMap;

use musher_graph_core::{ByteSize, Plan, SlotIx, TaskIx};

use super::Coloring;
use crate::color::Color;
use crate::drawing::Legend;
use crate::units;

/// Colors of a plan's tasks and chunks.
pub(super) enum Palette {
    /// By kind only.
    Plain,
    /// Place of each task in the order.
    Order(Vec<u32>),
    /// Group of each layer, and the name of each group.
    Groups(Vec<usize>, Vec<String>),
    /// Least and most bytes.
    Bytes(u64, u64),
}

/// What has no known size.
const UNKNOWN: Color = Color::new(0xe4, 0xe4, 0xe4);

impl Palette {
    /// The palette for single tasks and chunks.
    pub(super) fn new(plan: &Plan, coloring: Coloring) -> Self {
        let tasks = plan.tasks();
        match coloring {
            Coloring::None => Self::Plain,
            Coloring::Order => {
                let mut places = vec![0; tasks.n_tasks()];
                for (place, task) in plan.order().iter().enumerate() {
                    places[task.index()] = place as u32;
                }
                Self::Order(places)
            }
            Coloring::Layer => {
                let (groups, names) = by_label(plan);
                Self::Groups(groups, names)
            }
            Coloring::Bytes => {
                let known = (0..tasks.n_slots() as u32).filter_map(|slot| tasks.bytes_of(SlotIx(slot)));
                Self::bytes(known)
            }
        }
    }

    /// The palette for these sizes.
    pub(super) fn bytes(sizes: impl Iterator<Item = u64> + Clone) -> Self {
        Self::Bytes(sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0))
    }

    /// The color of a task of a layer whose outputs have these bytes; none where the kind decides.
    pub(super) fn color(&self, task: TaskIx, layer: usize, bytes: Option<u64>) -> Option<Color> {
        match self {
            Self::Plain => None,
            Self::Order(places) => {
                Some(Color::viridis(share(f64::from(places[task.index()]), 0.0, places.len() as f64 - 1.0)))
            }
            Self::Groups(groups, _) => Some(Color::of_group(groups[layer])),
            Self::Bytes(low, high) => Some(bytes.map_or(UNKNOWN, |bytes| {
                Color::viridis(share(logarithm(bytes), logarithm(*low), logarithm(*high)))
            })),
        }
    }

    /// What the colors mean.
    pub(super) fn legend(&self) -> Option<Legend> {
        match self {
            Self::Plain => None,
            Self::Order(places) => Some(Legend::Scale {
                name: "order in which tasks are admitted".into(),
                low: "first".into(),
                high: format!("last of {}", units::count(places.len())),
            }),
            Self::Groups(_, names) => Some(Legend::Groups(
                names
                    .iter()
                    .enumerate()
                    .map(|(group, name)| (name.clone(), Color::of_group(group)))
                    .collect(),
            )),
            Self::Bytes(low, high) => Some(Legend::Scale {
                name: "bytes of a chunk, logarithmic; gray: unknown".into(),
                low: ByteSize::from(*low).to_string(),
                high: ByteSize::from(*high).to_string(),
            }),
        }
    }
}

/// The group of each layer, layers with the same label being one group, and the labels.
pub(super) fn by_label(plan: &Plan) -> (Vec<usize>, Vec<String>) {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::new();
    let tasks = plan.tasks();
    let mut groups = vec![usize::MAX; tasks.layers().len()];
    // Layers without a needed task are not drawn and get no color.
    for layer in (0..tasks.n_tasks() as u32).map(|task| tasks.layer_of(TaskIx(task))) {
        if groups[layer] == usize::MAX {
            let label = tasks.layers()[layer].task.label().into_owned();
            groups[layer] = *numbers.entry(label.clone()).or_insert_with(|| {
                names.push(label);
                names.len() - 1
            });
        }
    }
    (groups, names)
}

fn logarithm(bytes: u64) -> f64 {
    (bytes as f64 + 1.0).ln()
}

/// Where `value` lies between `low` and `high`; the middle where these are equal.
fn share(value: f64, low: f64, high: f64) -> f64 {
    if high > low { (value - low) / (high - low) } else { 0.5 }
}
