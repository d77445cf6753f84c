//! Fusion and joining with a made-up algebra: a task whose `absorb` composes functions by their symbols.
//!
//! The fused answer must be the unfused one, over random graphs, and no work may be done more often than before,
//! except that of cheap sources.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{
    Absorb, AxisMap, Facts, Graph, Grid, Inputs, Layer, Output, Place, Port, Request, Task, TaskError,
    Tokenizer, Value, Wiring,
};
use musher_testkit::Random;

use crate::support::{all, optimized, some, values};

/// What is computed, step by step; each step may use the results of those before it.
#[derive(Debug, Clone)]
enum Step {
    /// The value of a slot.
    Input(usize),
    /// The index of a source's place, read across a wiring.
    Index { grid: Grid, wiring: Wiring },
    /// A mixture of earlier results, counted by its number.
    Mix { number: usize, of: Vec<usize> },
}

/// How often each mixture was made.
type Made = Arc<Vec<AtomicUsize>>;

/// A program of steps with one or more results.
#[derive(Debug, Clone)]
struct Symbolic {
    steps: Vec<Step>,
    results: Vec<usize>,
    made: Made,
    is_cheap: bool,
    joins: bool,
}

impl Symbolic {
    /// The mixture with this number of all slots; without slots, of the place's index.
    fn new(number: usize, n_slots: usize, grid: &Grid, made: &Made) -> Self {
        let mut steps: Vec<Step> = (0..n_slots).map(Step::Input).collect();
        if n_slots == 0 {
            steps.push(Step::Index { grid: grid.clone(), wiring: Wiring::one_to_one(grid.ndim()) });
        }
        let of = (0..steps.len()).collect();
        steps.push(Step::Mix { number, of });
        Self { results: vec![steps.len() - 1], steps, made: Arc::clone(made), is_cheap: false, joins: false }
    }

    /// Appends another program's steps and gives back where its results are. `input` turns a slot into a step that
    /// is there already or into another slot; places are read across `across`.
    fn append(
        &mut self,
        other: &Self,
        across: Option<(&Wiring, &Grid)>,
        input: impl Fn(usize) -> Result<usize, usize>,
    ) -> Vec<usize> {
        let mut now: Vec<usize> = Vec::with_capacity(other.steps.len());
        for step in &other.steps {
            let step = match step {
                Step::Input(slot) => match input(*slot) {
                    Ok(there) => {
                        now.push(there);
                        continue;
                    }
                    Err(slot) => Step::Input(slot),
                },
                Step::Index { grid, wiring } => {
                    let wiring = match across {
                        Some((outer, consumer)) => outer.compose(wiring, consumer).unwrap(),
                        None => wiring.clone(),
                    };
                    Step::Index { grid: grid.clone(), wiring }
                }
                Step::Mix { number, of } => {
                    Step::Mix { number: *number, of: of.iter().map(|&step| now[step]).collect() }
                }
            };
            now.push(self.steps.len());
            self.steps.push(step);
        }
        other.results.iter().map(|&result| now[result]).collect()
    }
}

fn mixed(start: u64, values: impl Iterator<Item = u64>) -> u64 {
    values.fold(start, |mixture, value| Random::new(mixture ^ value).bits())
}

impl Task for Symbolic {
    fn label(&self) -> Cow<'_, str> {
        format!("{} steps", self.steps.len()).into()
    }

    fn run(&self, at: Place<'_>, inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let mut results: Vec<u64> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let value = match step {
                Step::Input(slot) => {
                    // A single value stands for itself.
                    let read = inputs.slot::<Value<u64>>(*slot)?;
                    let mut read = read.iter().map(|Value(value)| *value);
                    read.next().map_or(0, |first| mixed(first, read))
                }
                Step::Index { grid, wiring } => u64::from(wiring.producers(at, grid)[0]),
                Step::Mix { number, of } => {
                    self.made[*number].fetch_add(1, Ordering::Relaxed);
                    mixed(*number as u64, of.iter().map(|&step| results[step]))
                }
            };
            results.push(value);
        }
        Ok(Output::many(self.results.iter().map(|&result| Arc::new(Value(results[result])) as _)))
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.fresh();
    }

    fn n_outputs(&self) -> usize {
        self.results.len()
    }

    fn facts(&self, _at: Place<'_>, _inputs: &[Option<u64>]) -> Facts {
        let output_bytes = self.results.iter().map(|_| Some(1000)).collect();
        let facts = Facts { output_bytes, ..Facts::default() };
        if self.is_cheap { facts.cost(10) } else { facts }
    }

    fn absorb(&self, request: &Absorb<'_>) -> Option<Arc<dyn Task>> {
        let producer = request.producer.downcast_ref::<Self>()?;
        let mut fused = Self { steps: Vec::new(), results: Vec::new(), is_cheap: false, ..self.clone() };
        let across = Some((request.wiring, request.grid));
        let made = fused.append(producer, across, |slot| Err(request.producer_slots[slot]));
        fused.results = fused.append(self, None, |slot| match request.slots.contains(&slot) {
            true => Ok(made[request.output]),
            false => Err(request.consumer_slots[slot]),
        });
        Some(Arc::new(fused))
    }

    fn join(&self, sibling: &dyn Task, sibling_slots: &[usize]) -> Option<Arc<dyn Task>> {
        let sibling = sibling.downcast_ref::<Self>().filter(|sibling| self.joins && sibling.joins)?;
        let mut joined = self.clone();
        let more = joined.append(sibling, None, |slot| Err(sibling_slots[slot]));
        joined.results.extend(more);
        Some(Arc::new(joined))
    }
}

/// A graph in the making, all of whose layers count what they do.
struct Symbols {
    made: Made,
    next: usize,
}

impl Symbols {
    fn new() -> Self {
        Self { made: Arc::new((0..64).map(|_| AtomicUsize::new(0)).collect()), next: 0 }
    }

    fn layer(&mut self, inputs: &[(&Port, Wiring)], grid: &Grid, change: impl Fn(&mut Symbolic)) -> Port {
        let mut task = Symbolic::new(self.next, inputs.len(), grid, &self.made);
        self.next += 1;
        change(&mut task);
        let mut layer = Layer::build(task);
        for (port, wiring) in inputs {
            layer = layer.input(port, wiring.clone());
        }
        Port::of(layer.finish(grid.clone()))
    }

    fn plain(&mut self, inputs: &[(&Port, Wiring)], shape: &[usize]) -> Port {
        self.layer(inputs, &Grid::from(shape), |_| {})
    }

    fn cheap(&mut self, shape: &[usize]) -> Port {
        self.layer(&[], &Grid::from(shape), |task| task.is_cheap = true)
    }

    /// How often each mixture was made since the last call.
    fn counts(&self) -> Vec<usize> {
        self.made[..self.next].iter().map(|count| count.swap(0, Ordering::Relaxed)).collect()
    }
}

fn own() -> Wiring {
    Wiring::one_to_one(1)
}

/// Number of layers after optimizing; the answers before and after are equal.
#[track_caller]
fn layers_of(requests: &[Request]) -> usize {
    let plain = Graph::collect(requests).unwrap();
    let fused = plain.clone().optimize();
    let n = fused.layers().len();
    assert_eq!(values(fused), values(plain));
    n
}

#[test]
fn a_diamond_becomes_one_layer_that_computes_the_shared_part_once() {
    //   d
    //  / \
    // b   c        b and c read a, which therefore stays until d has taken both into itself
    //  \ /
    //   a
    let mut symbols = Symbols::new();
    let a = symbols.plain(&[], &[4]);
    let b = symbols.plain(&[(&a, own())], &[4]);
    let c = symbols.plain(&[(&a, own())], &[4]);
    let d = symbols.plain(&[(&b, own()), (&c, own())], &[4]);
    assert_eq!(layers_of(&[all(&d)]), 1);
    assert_eq!(symbols.counts(), [8, 8, 8, 8], "4 places, once plain and once fused");
}

#[test]
fn what_is_asked_for_is_kept() {
    let mut symbols = Symbols::new();
    let a = symbols.plain(&[], &[4]);
    let b = symbols.plain(&[(&a, own())], &[4]);
    let c = symbols.plain(&[(&b, own())], &[4]);
    assert_eq!(layers_of(&[all(&c)]), 1);
    assert_eq!(layers_of(&[all(&c), all(&b)]), 2, "a goes into b");
    assert_eq!(layers_of(&[all(&c), some(&b, &[2])]), 2, "also if only a part is asked for");
    assert_eq!(layers_of(&[all(&a), all(&b), all(&c)]), 3);
}

#[test]
fn what_two_layers_read_is_made_once() {
    let mut symbols = Symbols::new();
    let a = symbols.plain(&[], &[4]);
    let b = symbols.plain(&[(&a, own())], &[4]);
    let c = symbols.plain(&[(&a, own())], &[4]);
    assert_eq!(layers_of(&[all(&b), all(&c)]), 3);
    assert_eq!(symbols.counts(), [8, 8, 8]);
}

#[test]
fn cheap_sources_are_made_again_rather_than_held() {
    let mut symbols = Symbols::new();
    let a = symbols.cheap(&[4]);
    let b = symbols.plain(&[(&a, own())], &[4]);
    let c = symbols.plain(&[(&a, own())], &[4]);
    assert_eq!(layers_of(&[all(&b), all(&c)]), 2);
    assert_eq!(symbols.counts(), [4 + 8, 8, 8], "4 times plain, 8 times inside its readers");
}

#[test]
fn one_slot_that_reads_a_transpose_and_one_that_does_not() {
    // x + x.t(): two wirings to one producer, which is read twice and therefore stays, unless it is cheap.
    let across = Wiring::axes([AxisMap::follow(1), AxisMap::follow(0)]);
    let mut symbols = Symbols::new();
    let x = symbols.plain(&[], &[3, 3]);
    let both = [(&x, Wiring::one_to_one(2)), (&x, across.clone())];
    let sum = symbols.plain(&both, &[3, 3]);
    assert_eq!(layers_of(&[all(&sum)]), 2);
    let x = symbols.cheap(&[3, 3]);
    let both = [(&x, Wiring::one_to_one(2)), (&x, across)];
    let sum = symbols.plain(&both, &[3, 3]);
    assert_eq!(layers_of(&[all(&sum)]), 1);
}

#[test]
fn two_slots_of_one_wiring_are_one_reading() {
    let mut symbols = Symbols::new();
    let x = symbols.plain(&[], &[3]);
    let square = symbols.plain(&[(&x, own()), (&x, own())], &[3]);
    assert_eq!(layers_of(&[all(&square)]), 1);
    assert_eq!(symbols.counts(), [6, 6]);
}

#[test]
fn a_broadcast_does_not_repeat_what_it_reads() {
    let mut symbols = Symbols::new();
    let mean = symbols.plain(&[], &[1]);
    let spread = symbols.plain(&[(&mean, Wiring::axes([AxisMap::Fixed(0)]))], &[100]);
    assert_eq!(layers_of(&[all(&spread)]), 2);
    // As many places as the producer has, but all of them read the same one.
    let line = symbols.plain(&[], &[100]);
    let spread = symbols.plain(&[(&line, Wiring::axes([AxisMap::Fixed(7)]))], &[100]);
    symbols.counts();
    assert_eq!(layers_of(&[all(&spread)]), 2);
    assert_eq!(symbols.counts()[2], 2);
    // A table that names a place twice.
    let table: Arc<[u32]> = (0..100).map(|place| place / 2).collect();
    let twice = symbols.plain(&[(&line, Wiring::axes([AxisMap::Lookup { axis: 0, table }]))], &[100]);
    assert_eq!(layers_of(&[all(&twice)]), 2);
    // A slice reads each place once at most.
    let slice = Wiring::axes([AxisMap::Affine { axis: 0, start: 99, step: -2 }]);
    let slice = symbols.plain(&[(&line, slice)], &[50]);
    assert_eq!(layers_of(&[all(&slice)]), 1);
}

#[test]
fn groups_windows_and_barriers_are_not_absorbed_across() {
    let mut symbols = Symbols::new();
    let a = symbols.plain(&[], &[4]);
    for wiring in [Wiring::tree(&[2]), Wiring::neighbors(&[1], false), Wiring::axes([AxisMap::Whole])] {
        let b = symbols.plain(&[(&a, wiring)], &[2]);
        assert_eq!(layers_of(&[all(&b)]), 2);
    }
    let b = symbols.plain(&[(&a, Wiring::All)], &[4]);
    assert_eq!(layers_of(&[all(&b)]), 3, "with the barrier");
    // The tree's leaves take in what stands below them, and what stands above takes in the tree.
    let c = symbols.plain(&[(&a, own())], &[4]);
    let d = symbols.plain(&[(&c, Wiring::tree(&[2]))], &[2]);
    let e = symbols.plain(&[(&d, own())], &[2]);
    assert_eq!(layers_of(&[all(&e)]), 2);
}

#[test]
fn siblings_over_the_same_producers_become_one_pass() {
    //  mean and std of one source: two readers of x by a tree, asked for together
    let mut symbols = Symbols::new();
    let x = symbols.plain(&[], &[4]);
    let joins = |task: &mut Symbolic| task.joins = true;
    let half = Grid::from([2]);
    let mean = symbols.layer(&[(&x, Wiring::tree(&[2]))], &half, joins);
    let spread = symbols.layer(&[(&x, Wiring::tree(&[2]))], &half, joins);
    let total = symbols.plain(&[(&spread, Wiring::All), (&mean, Wiring::All)], &[1]);
    assert_eq!(layers_of(&[all(&total)]), 3);
    assert_eq!(layers_of(&[all(&mean), all(&spread)]), 2, "with each result where it was asked for");
    let lone = symbols.layer(&[(&x, Wiring::tree(&[2]))], &half, |_| {});
    assert_eq!(layers_of(&[all(&mean), all(&lone)]), 3, "only if both agree");
}

#[test]
fn siblings_may_read_their_slots_in_another_order() {
    let mut symbols = Symbols::new();
    let (x, y) = (symbols.plain(&[], &[4]), symbols.plain(&[], &[4]));
    let joins = |task: &mut Symbolic| task.joins = true;
    let (grid, by) = (Grid::from([2]), Wiring::tree(&[2]));
    let a = symbols.layer(&[(&x, by.clone()), (&y, by.clone())], &grid, joins);
    let b = symbols.layer(&[(&y, by.clone()), (&x, by.clone())], &grid, joins);
    assert_eq!(layers_of(&[all(&a), all(&b)]), 3);
    let c = symbols.layer(&[(&y, by.clone()), (&y, by)], &grid, joins);
    assert_eq!(layers_of(&[all(&a), all(&c)]), 4, "other producers, no siblings");
}

/// A wiring of single maps, or sometimes another one, onto a producer of this shape.
fn wiring(random: &mut Random, producer: &[usize], consumer: &[usize]) -> Wiring {
    if producer == consumer && !random.one_in(3) {
        return Wiring::one_to_one(producer.len());
    }
    if random.one_in(12) {
        return Wiring::All;
    }
    let axis = |random: &mut Random| random.below(consumer.len());
    let maps: Vec<AxisMap> = producer
        .iter()
        .map(|&n| {
            let axis = axis(random);
            match random.below(8) {
                0..4 if consumer[axis] <= n => AxisMap::follow(axis),
                0..5 if consumer[axis] <= n => AxisMap::Affine { axis, start: n as isize - 1, step: -1 },
                5 if consumer[axis] <= n => {
                    AxisMap::Window { axis, before: 1, after: 0, wrap: random.one_in(2) }
                }
                6 => AxisMap::Group { axis, fan_in: 2 },
                7 => {
                    let table: Vec<u32> = (0..consumer[axis]).map(|_| random.below(n) as u32).collect();
                    AxisMap::Lookup { axis, table: table.into() }
                }
                _ => AxisMap::Fixed(random.below(n)),
            }
        })
        .collect();
    Wiring::axes(maps)
}

const SHAPES: [&[usize]; 6] = [&[4], &[4], &[4], &[2, 2], &[2, 2], &[2, 1, 3]];

#[test]
fn over_random_graphs_the_fused_answer_is_the_plain_one() {
    let mut random = Random::new(4);
    let (mut before, mut after) = (0, 0);
    for round in 0..2_000 {
        let mut symbols = Symbols::new();
        let mut ports: Vec<(Port, &[usize])> = Vec::new();
        let mut is_cheap = Vec::new();
        for own in 0..2 + random.below(9) {
            let shape = SHAPES[random.below(SHAPES.len())];
            let n_inputs = if own == 0 { 0 } else { random.below(4) };
            let chosen: Vec<(Port, Wiring)> = (0..n_inputs)
                .map(|_| {
                    let (port, producer) = &ports[random.below(own)];
                    (port.clone(), wiring(&mut random, producer, shape))
                })
                .collect();
            let inputs: Vec<(&Port, Wiring)> = chosen.iter().map(|(port, w)| (port, w.clone())).collect();
            let (cheap, joins) = (n_inputs == 0 && random.one_in(2), random.one_in(2));
            let change = |task: &mut Symbolic| (task.is_cheap, task.joins) = (cheap, joins);
            ports.push((symbols.layer(&inputs, &Grid::from(shape), change), shape));
            is_cheap.push(cheap);
        }
        let mut requests = vec![all(&ports[ports.len() - 1].0)];
        for _ in 0..random.below(3) {
            let (port, shape) = &ports[random.below(ports.len())];
            let n = shape.iter().product();
            requests.push(some(port, &[random.below(n) as u32, random.below(n) as u32]));
        }
        let plain = Graph::collect(&requests).unwrap();
        before += plain.layers().len();
        let expected = values(plain);
        let made_plain = symbols.counts();
        let fused = optimized(&requests);
        after += fused.layers().len();
        assert_eq!(values(fused), expected, "round {round}");
        let made_fused = symbols.counts();
        // A joined layer runs wherever one of its members is asked for, so that the other is made there, too.
        if requests.len() == 1 {
            for (number, (plain, fused)) in made_plain.iter().zip(&made_fused).enumerate() {
                let may_repeat = is_cheap[number] || is_cheap.iter().any(|&cheap| cheap);
                assert!(
                    may_repeat || fused <= plain,
                    "round {round}: {number} made {fused} times, not {plain}"
                );
            }
        }
    }
    assert!(after * 10 < before * 9, "{before} layers have become {after}");
}
