//! Whether a wiring fits the grids that it joins: told once for each input when a graph is collected, so that no
//! task reads what its producer does not have.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::grid::Grid;
use crate::report::report;
use crate::wiring::{AxisMap, Wiring};

/// Why a wiring does not fit the grids of its consumer and its producer.
///
/// # Examples
/// ```
/// use musher_graph_core::*;
/// let source = FnTask::new("source", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index())));
/// let source = Layer::build(source).finish(Grid::from([3]));
/// let shift = Wiring::axes([AxisMap::Affine { axis: 0, start: 1, step: 1 }]);
/// let shifted = Layer::build(Forward::new("shift")).input(&Port::of(source), shift).finish(Grid::from([3]));
/// let request = Request { port: Port::of(shifted), places: Places::All };
/// let error = Graph::collect(&[request]).unwrap_err();
/// assert!(error.to_string().contains("coordinate 3 along axis 0, which has 3"), "{error}");
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Misfit {
    /// There is not one map for each axis of the producer.
    #[error("{n_maps} axis maps for {ndim} axes")]
    Maps {
        /// How many maps there are.
        n_maps: usize,
        /// Axes of the producer.
        ndim: usize,
    },
    /// A map follows an axis that the consumer does not have.
    #[error("a map follows axis {axis} of {ndim}")]
    NoSuchAxis {
        /// The axis followed.
        axis: usize,
        /// Axes of the consumer.
        ndim: usize,
    },
    /// A map reads a coordinate that the producer does not have.
    #[error("coordinate {at} along axis {axis}, which has {n}")]
    Outside {
        /// Axis of the producer.
        axis: usize,
        /// The coordinate.
        at: i128,
        /// Tasks of the producer along the axis.
        n: usize,
    },
    /// A table holds another number of entries than the consumer has tasks along its axis.
    #[error("{len} entries for {n} tasks along axis {axis}")]
    Table {
        /// Axis of the consumer.
        axis: usize,
        /// Entries of the table.
        len: usize,
        /// Tasks of the consumer along the axis.
        n: usize,
    },
    /// There is another number of written lists than the consumer has tasks.
    #[error("{len} lists for {n_tasks} tasks")]
    Lists {
        /// How many lists there are.
        len: usize,
        /// Tasks of the consumer.
        n_tasks: usize,
    },
    /// A part reaches beyond the consumer's grid.
    #[error("a part that begins at {start:?} with shape {shape:?} on a grid of shape {grid:?}")]
    Part {
        /// First place of the box.
        start: Vec<u32>,
        /// Shape of the box.
        shape: Vec<u32>,
        /// Shape of the consumer's grid.
        grid: Vec<u32>,
    },
    /// The producer has no such output.
    #[error("output {output} of {n_outputs}")]
    Output {
        /// The output read.
        output: usize,
        /// How many the producer has.
        n_outputs: usize,
    },
}

impl fmt::Debug for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl Wiring {
    /// Whether every task of the consumer reads what the producer has; written lists are looked at when lowered.
    ///
    /// **Cost** linear in the grids' lengths, not in their tasks.
    pub(crate) fn check(&self, consumer: &Grid, producer: &Grid) -> Result<(), Misfit> {
        match self {
            Self::Part(part) => {
                let inside = |((&start, &n), &whole): ((&u32, &u32), &u32)| {
                    u64::from(start) + u64::from(n) <= u64::from(whole)
                };
                let shape = part.grid.shape();
                let fits = part.start.len() == shape.len() && shape.len() == consumer.ndim();
                if !fits || !part.start.iter().zip(shape).zip(consumer.shape()).all(inside) {
                    return Err(Misfit::Part {
                        start: part.start.to_vec(),
                        shape: shape.to_vec(),
                        grid: consumer.shape().to_vec(),
                    });
                }
                part.wiring.check_plain(&part.grid, producer)
            }
            plain => plain.check_plain(consumer, producer),
        }
    }

    fn check_plain(&self, consumer: &Grid, producer: &Grid) -> Result<(), Misfit> {
        if consumer.n_tasks() == 0 {
            return Ok(());
        }
        match self {
            Self::All | Self::Part(_) => Ok(()),
            Self::Explicit(lists) if lists.len() == consumer.n_tasks() => Ok(()),
            Self::Explicit(lists) => Err(Misfit::Lists { len: lists.len(), n_tasks: consumer.n_tasks() }),
            // Without maps the only task is read, whatever its grid's axes.
            Self::Axes(maps) if maps.is_empty() && producer.n_tasks() == 1 => Ok(()),
            Self::Axes(maps) if maps.len() != producer.ndim() => {
                Err(Misfit::Maps { n_maps: maps.len(), ndim: producer.ndim() })
            }
            Self::Axes(maps) => maps
                .iter()
                .zip(producer.shape())
                .enumerate()
                .try_for_each(|(axis, (map, &n))| map.check(axis, n as usize, consumer)),
        }
    }
}

impl AxisMap {
    /// Whether this map of the producer's `axis`, with `n` tasks, fits a consumer that has tasks.
    fn check(&self, axis: usize, n: usize, consumer: &Grid) -> Result<(), Misfit> {
        let inside = |at: i128| match (0..n as i128).contains(&at) {
            true => Ok(()),
            false => Err(Misfit::Outside { axis, at, n }),
        };
        let Some(follows) = self.follows() else {
            return match self {
                Self::Fixed(at) => inside(*at as i128),
                _ => Ok(()),
            };
        };
        let n_consumer = match consumer.shape().get(follows) {
            Some(&n) => n as usize,
            None => return Err(Misfit::NoSuchAxis { axis: follows, ndim: consumer.ndim() }),
        };
        let entries = |len: usize| match len == n_consumer {
            true => Ok(()),
            false => Err(Misfit::Table { axis: follows, len, n: n_consumer }),
        };
        match self {
            Self::Affine { start, step, .. } => {
                inside(*start as i128)?;
                inside(*start as i128 + *step as i128 * (n_consumer as i128 - 1))
            }
            Self::Lookup { table, .. } => {
                entries(table.len())?;
                table.iter().try_for_each(|&at| inside(i128::from(at)))
            }
            Self::Ranges { ranges, .. } => {
                entries(ranges.len())?;
                let read = ranges.iter().filter(|(first, end)| first < end);
                read.copied().try_for_each(|(_, end)| inside(i128::from(end) - 1))
            }
            Self::Window { .. } => inside(n_consumer as i128 - 1),
            // A group beyond the end reads nothing: a reduction over no chunks.
            Self::Group { .. } | Self::Fixed(_) | Self::Whole => Ok(()),
        }
    }
}
