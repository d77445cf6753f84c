//! Trees and running totals against the definition, over grids of any shape; and that they stream.

use std::borrow::Cow;
use std::sync::Arc;

use musher_graph_core::{
    Chunk, ChunkRef, Collection, Combine, Delayed, Facts, FnTask, Grid, Grouping, Held, Inputs, Layer, Place,
    Plan, Policy, Port, Scan, Site, TaskError, TaskIx, Tokenizer, Value, Wiring, in_turn, scan, tree,
};
use musher_testkit::{Random, check_everywhere};

use crate::support::planned;

/// Which chunks went into a state, in order: merging is associative and tells earlier from later.
#[derive(Debug, Clone, PartialEq)]
struct Path(Vec<usize>);

impl Chunk for Path {
    fn nbytes(&self) -> Option<usize> {
        Some(1000)
    }
}

struct Concat;

impl Combine for Concat {
    type State = Path;

    fn label(&self) -> Cow<'_, str> {
        "concat".into()
    }

    fn token(&self, tokenizer: &mut Tokenizer) {
        tokenizer.name("test.concat/1");
    }

    fn merge(&self, earlier: &mut Path, later: Path) -> Result<(), TaskError> {
        earlier.0.extend(later.0);
        Ok(())
    }
}

impl Scan for Concat {
    fn start(&self, at: Place<'_>) -> Result<Path, TaskError> {
        // The place along the other axes is the caller's to see.
        assert!(at.coords().len() == at.grid().ndim());
        Ok(Path(Vec::new()))
    }

    fn start_bytes(&self, _at: Place<'_>) -> Option<u64> {
        Some(1000)
    }
}

/// A state for each place of the grid, which names the place.
fn states(grid: &Grid) -> Port {
    let chunks = (0..grid.n_tasks()).map(|index| Arc::new(Path(vec![index])) as ChunkRef).collect();
    Port::of(Layer::build(Held::new("states", chunks, None)).finish(grid.clone()))
}

/// All states of a port, as one value.
fn all(port: &Port) -> Delayed<Vec<Vec<usize>>> {
    let read = FnTask::new("read", |_: Place<'_>, inputs: &mut Inputs<'_>| {
        Ok(Value(inputs.slot::<Path>(0)?.iter().map(|path| path.0.clone()).collect::<Vec<_>>()))
    });
    Delayed::from_port(Port::of(Layer::build(read).input(port, Wiring::All).finish(Grid::scalar())))
}

fn shape(random: &mut Random, ndim: usize, most: usize) -> Vec<usize> {
    (0..ndim).map(|_| 1 + random.below(most)).collect()
}

#[test]
fn a_tree_merges_each_state_once_whatever_the_grid() {
    let mut random = Random::new(11);
    for round in 0..60 {
        let ndim = 1 + round % 3;
        let shape = shape(&mut random, ndim, [70, 14, 6][ndim - 1]);
        let reduced: Vec<bool> = (0..ndim).map(|_| random.below(3) > 0).collect();
        let grid = Grid::from(shape.as_slice());
        let kept: Vec<usize> = (0..ndim).filter(|&axis| !reduced[axis]).map(|axis| shape[axis]).collect();
        let answer = Grid::from(kept.as_slice());
        let mut expected = vec![Vec::new(); answer.n_tasks()];
        for index in 0..grid.n_tasks() {
            let at = grid.coords_of(index);
            let at: Vec<usize> = (0..ndim).filter(|&axis| !reduced[axis]).map(|axis| at[axis]).collect();
            expected[answer.index_of(&at)].push(index);
        }
        for grouping in [Grouping::Lines, Grouping::Boxes] {
            let whole = tree(&states(&grid), &reduced, grouping, answer.clone(), Concat, Site::caller());
            let mut found = check_everywhere(&all(&whole));
            if ndim > 1 {
                // Groups of several axes are boxes: not C order, but each state once.
                found.iter_mut().for_each(|path| path.sort_unstable());
            }
            assert_eq!(found, expected, "{shape:?} {reduced:?} {grouping:?}");
        }
    }
}

#[test]
fn a_tree_holds_eight_states_a_task_however_many_there_are() {
    for (grouping, shape, most) in [
        (Grouping::Lines, vec![1000], 8),
        (Grouping::Lines, vec![40, 40], 8),
        (Grouping::Boxes, vec![40, 40], 9),
    ] {
        let grid = Grid::from(shape.as_slice());
        let reduced = vec![true; shape.len()];
        let whole = tree(&states(&grid), &reduced, grouping, Grid::scalar(), Concat, Site::caller());
        let plan = planned(&[all(&whole).request()]);
        let tasks = plan.tasks();
        let widest = (0..tasks.n_tasks() as u32).map(|task| tasks.inputs_of(TaskIx(task)).len()).max();
        assert_eq!(widest, Some(most), "{grouping:?} {shape:?}");
    }
}

#[test]
fn prefixes_are_what_came_before_along_the_axis_in_order() {
    let mut random = Random::new(12);
    let lengths = [1, 2, 8, 9, 63, 64, 65, 66, 200, 513];
    for (round, &n) in lengths.iter().cycle().take(40).enumerate() {
        let ndim = 1 + round % 3;
        let axis = random.below(ndim);
        let mut shape = shape(&mut random, ndim, 3);
        shape[axis] = n;
        let grid = Grid::from(shape.as_slice());
        let before = scan(&states(&grid), axis, Concat, Site::caller());
        let expected: Vec<Vec<usize>> = (0..grid.n_tasks())
            .map(|index| {
                let mut at = grid.coords_of(index);
                let own = at[axis];
                let earlier = (0..own).map(|coord| {
                    at[axis] = coord;
                    grid.index_of(&at)
                });
                earlier.collect()
            })
            .collect();
        assert_eq!(check_everywhere(&all(&before)), expected, "{shape:?} along {axis}");
    }
}

#[test]
fn chunks_in_turn_go_on_from_the_one_before_along_the_axis() {
    for (shape, axis) in [(vec![1], 0), (vec![70], 0), (vec![3, 4], 0), (vec![3, 4], 1), (vec![2, 5, 3], 1)] {
        let grid = Grid::from(shape.as_slice());
        let go_on = FnTask::new("go on", move |at: Place<'_>, inputs: &mut Inputs<'_>| {
            let slots = if at.coords()[axis] == 0 { 1 } else { 2 };
            assert_eq!(inputs.len(), slots);
            let mut path = Vec::new();
            for slot in 0..slots {
                path.extend(&inputs.get::<Path>(slot)?.0);
            }
            Ok(Path(path))
        });
        let whole = in_turn(&states(&grid), axis, go_on.params("test.go_on/1", &axis), Site::caller());
        let expected: Vec<Vec<usize>> = (0..grid.n_tasks())
            .map(|index| {
                let mut at = grid.coords_of(index);
                let until = 0..=at[axis];
                let so_far = until.map(|coord| {
                    at[axis] = coord;
                    grid.index_of(&at)
                });
                so_far.collect()
            })
            .collect();
        assert_eq!(check_everywhere(&all(&whole)), expected, "{shape:?} along {axis}");
    }
}

/// What a scan is for: blocks that wait for the sum of all blocks before them.
#[test]
fn a_thousand_blocks_stream_through_a_scan() {
    const BLOCK: u64 = 1_000_000;
    for n in [60_usize, 1000] {
        let grid = Grid::from([n]);
        let source = FnTask::new("source", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Path(vec![at.index()])))
            .named("test.source/1")
            .facts(|_, _| Facts::bytes(BLOCK));
        let blocks = Port::of(Layer::build(source).finish(grid.clone()));
        let one = || Wiring::one_to_one(1);
        let total =
            FnTask::new("total", |_: Place<'_>, inputs: &mut Inputs<'_>| Ok(inputs.get::<Path>(0)?.clone()));
        let total = total.named("test.total/1").facts(|_, _| Facts::bytes(1000));
        let totals = Port::of(Layer::build(total).input(&blocks, one()).finish(grid.clone()));
        let before = scan(&totals, 0, Concat, Site::caller());
        let apply = FnTask::new("apply", |_: Place<'_>, inputs: &mut Inputs<'_>| {
            Ok(Path(vec![inputs.get::<Path>(0)?.0.len() + inputs.get::<Path>(1)?.0.len()]))
        });
        let apply = apply.named("test.apply/1").facts(|_, _| Facts::bytes(8));
        let applied = Layer::build(apply).input(&blocks, one()).input(&before, one()).finish(grid.clone());
        let plan: Plan = planned(&[all(&Port::of(applied)).request()]);
        let told = plan.forecast(u64::MAX, Policy::Furthest);
        assert!(told.peak_bytes < 4 * BLOCK, "{n} blocks: {} bytes at once", told.peak_bytes);
    }
}

#[test]
fn equal_scans_are_one_and_other_axes_are_others() {
    let grid = Grid::from([3, 3]);
    let states = states(&grid);
    let key = |axis| scan(&states, axis, Concat, Site::caller()).key();
    assert_eq!(key(0), key(0));
    assert_ne!(key(0), key(1));
}
