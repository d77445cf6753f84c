//! Wirings against naive expectations, and composition against following two wirings one after the other.

use std::sync::Arc;

use musher_graph_core::{
    AxisMap, Forward, Graph, Grid, Inputs, Layer, Lists, Misfit, Place, Places, Port, Request, Value, Wiring,
};
use musher_graph_core::{Error, FnTask};
use musher_testkit::Random;

/// What each task of the consumer reads, by index.
fn reads(wiring: &Wiring, consumer: &Grid, producer: &Grid) -> Vec<Vec<u32>> {
    (0..consumer.n_tasks()).map(|index| wiring.producers(consumer.place(index), producer).to_vec()).collect()
}

fn along(map: AxisMap, n_consumer: usize, n_producer: usize) -> Vec<Vec<u32>> {
    reads(&Wiring::axes([map]), &Grid::from([n_consumer]), &Grid::from([n_producer]))
}

#[test]
fn affine_maps_slice_step_flip_and_shift() {
    let affine = |start, step| AxisMap::Affine { axis: 0, start, step };
    assert_eq!(along(affine(0, 1), 3, 3), [[0], [1], [2]]);
    assert_eq!(along(affine(2, 1), 2, 4), [[2], [3]]);
    assert_eq!(along(affine(1, 2), 3, 6), [[1], [3], [5]]);
    assert_eq!(along(affine(3, -1), 4, 4), [[3], [2], [1], [0]]);
    assert_eq!(along(affine(5, -2), 3, 6), [[5], [3], [1]]);
}

#[test]
fn the_other_maps_read_what_they_say() {
    assert_eq!(along(AxisMap::Fixed(2), 3, 4), [[2], [2], [2]]);
    let table: Arc<[u32]> = [3, 0, 3].into();
    assert_eq!(along(AxisMap::Lookup { axis: 0, table }, 3, 4), [[3], [0], [3]]);
    assert_eq!(along(AxisMap::Group { axis: 0, fan_in: 3 }, 3, 7), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!(along(AxisMap::Group { axis: 0, fan_in: usize::MAX }, 2, 2), [vec![0, 1], vec![]]);
    let ranges: Arc<[(u32, u32)]> = [(0, 2), (1, 3), (3, 3)].into();
    assert_eq!(along(AxisMap::Ranges { axis: 0, ranges }, 3, 3), [vec![0, 1], vec![1, 2], vec![]]);
    assert_eq!(along(AxisMap::Whole, 2, 3), [[0, 1, 2], [0, 1, 2]]);
}

#[test]
fn windows_end_at_the_border_or_go_round() {
    let window = |before, after, wrap| AxisMap::Window { axis: 0, before, after, wrap };
    assert_eq!(along(window(1, 1, false), 3, 3), [vec![0, 1], vec![0, 1, 2], vec![1, 2]]);
    assert_eq!(along(window(2, 0, false), 3, 3), [vec![0], vec![0, 1], vec![0, 1, 2]]);
    assert_eq!(along(window(1, 1, true), 3, 3), [[2, 0, 1], [0, 1, 2], [1, 2, 0]]);
    assert_eq!(along(window(1, 1, true), 1, 1), [[0, 0, 0]], "a ring of one is its own neighbor");
    assert_eq!(along(window(3, 0, true), 2, 2), [[1, 0, 1, 0], [0, 1, 0, 1]]);
}

#[test]
fn boxes_are_read_in_c_order() {
    let wiring = Wiring::axes([AxisMap::Whole, AxisMap::Group { axis: 0, fan_in: 2 }]);
    assert_eq!(reads(&wiring, &Grid::from([2]), &Grid::from([2, 3])), [vec![0, 1, 3, 4], vec![2, 5]]);
}

#[test]
fn neighbors_and_trees_follow_the_axes_they_do_not_touch() {
    let grid = Grid::from([2, 3]);
    let read = reads(&Wiring::neighbors(&[0, 1], false), &grid, &grid);
    assert_eq!(read, [vec![0, 1], vec![0, 1, 2], vec![1, 2], vec![3, 4], vec![3, 4, 5], vec![4, 5]]);
    let read = reads(&Wiring::tree(&[1, 2]), &Grid::from([2, 2]), &grid);
    assert_eq!(read, [vec![0, 1], vec![2], vec![3, 4], vec![5]]);
}

#[test]
fn all_explicit_and_parts() {
    let (two, three) = (Grid::from([2]), Grid::from([3]));
    assert_eq!(reads(&Wiring::All, &two, &three), [[0, 1, 2], [0, 1, 2]]);
    let mut lists = Lists::new();
    lists.push([2, 0]);
    lists.push([]);
    assert_eq!(reads(&Wiring::explicit(lists), &two, &three), [vec![2, 0], vec![]]);
    // The producer's two tasks stand at (1, 1) and (1, 2) of the consumer.
    let part = Wiring::part(&[1, 1], &[1, 2], Wiring::axes([AxisMap::follow(1)]));
    let read = reads(&part, &Grid::from([2, 3]), &two);
    assert_eq!(read, [vec![], vec![], vec![], vec![], vec![0], vec![1]]);
    assert_eq!(reads(&Wiring::one_to_one(0), &two, &Grid::scalar()), [[0], [0]]);
}

/// A map onto `n` coordinates that fits the consumer, single (for an outer wiring) or of any kind.
fn map_onto(random: &mut Random, n: usize, consumer: &Grid, only_single: bool) -> AxisMap {
    let axis = random.below(consumer.ndim());
    let n_consumer = consumer.shape()[axis] as usize;
    match random.below(if only_single { 4 } else { 8 }) {
        0 if n_consumer <= n => AxisMap::follow(axis),
        1 if n_consumer <= n => {
            let step = if n_consumer > 1 { 1 + random.below((n - 1) / (n_consumer - 1)) } else { 1 };
            let start = random.below(n - step * (n_consumer - 1));
            let (last, step) = ((start + step * (n_consumer - 1)) as isize, step as isize);
            match random.one_in(2) {
                true => AxisMap::Affine { axis, start: start as isize, step },
                false => AxisMap::Affine { axis, start: last, step: -step },
            }
        }
        0..=2 => {
            let table: Vec<u32> = (0..n_consumer).map(|_| random.below(n) as u32).collect();
            AxisMap::Lookup { axis, table: table.into() }
        }
        3 => AxisMap::Fixed(random.below(n)),
        4 => AxisMap::Group { axis, fan_in: 1 + random.below(3) },
        5 if n_consumer <= n => {
            AxisMap::Window { axis, before: random.below(3), after: random.below(3), wrap: random.one_in(2) }
        }
        6 => {
            let range = |random: &mut Random| {
                let first = random.below(n + 1);
                (first as u32, (first + random.below(n + 1 - first)) as u32)
            };
            let ranges: Vec<_> = (0..n_consumer).map(|_| range(random)).collect();
            AxisMap::Ranges { axis, ranges: ranges.into() }
        }
        _ => AxisMap::Whole,
    }
}

fn grid(random: &mut Random) -> Grid {
    let shape: Vec<usize> = (0..1 + random.below(3)).map(|_| 1 + random.below(4)).collect();
    Grid::from(shape.as_slice())
}

fn wiring_onto(random: &mut Random, producer: &Grid, consumer: &Grid, only_single: bool) -> Wiring {
    let maps: Vec<_> =
        producer.shape().iter().map(|&n| map_onto(random, n as usize, consumer, only_single)).collect();
    Wiring::axes(maps)
}

#[test]
fn a_composed_wiring_reads_what_the_two_read() {
    let mut random = Random::new(2);
    let (mut composed, mut declined) = (0, 0);
    for _ in 0..20_000 {
        let (consumer, middle, producer) = (grid(&mut random), grid(&mut random), grid(&mut random));
        let outer = wiring_onto(&mut random, &middle, &consumer, true);
        let inner = match random.below(8) {
            0 => Wiring::All,
            1 => {
                let mut lists = Lists::new();
                for _ in 0..middle.n_tasks() {
                    lists.push([random.below(producer.n_tasks()) as u32]);
                }
                Wiring::explicit(lists)
            }
            _ => wiring_onto(&mut random, &producer, &middle, false),
        };
        let Some(straight) = outer.compose(&inner, &consumer) else {
            declined += 1;
            continue;
        };
        composed += 1;
        for index in 0..consumer.n_tasks() {
            let at = consumer.place(index);
            let through = outer.producers(at, &middle);
            let expected: Vec<u32> = through
                .iter()
                .flat_map(|&index| inner.producers(middle.place(index as usize), &producer))
                .collect();
            let read = straight.producers(at, &producer);
            assert_eq!(read.as_slice(), expected, "{outer:?} over {inner:?} at {:?}", at.coords());
        }
    }
    assert!(composed > 5_000 && declined > 500, "{composed} composed, {declined} declined");
}

#[test]
fn a_window_over_single_maps_reads_each_task_that_the_two_read_once() {
    let mut random = Random::new(4);
    let (mut composed, mut declined) = (0, 0);
    for _ in 0..20_000 {
        let (consumer, middle, producer) = (grid(&mut random), grid(&mut random), grid(&mut random));
        let outer = wiring_onto(&mut random, &middle, &consumer, false);
        let inner = wiring_onto(&mut random, &producer, &middle, true);
        let Some(straight) = outer.compose(&inner, &consumer) else {
            declined += 1;
            continue;
        };
        composed += 1;
        for index in 0..consumer.n_tasks() {
            let at = consumer.place(index);
            let through = outer.producers(at, &middle);
            let mut expected: Vec<u32> = through
                .iter()
                .flat_map(|&index| inner.producers(middle.place(index as usize), &producer))
                .collect();
            let mut read = straight.producers(at, &producer).to_vec();
            for list in [&mut expected, &mut read] {
                list.sort_unstable();
                list.dedup();
            }
            // Of nothing the consumer reads nothing; what is read at a fixed place it may read in vain.
            assert!(expected == read || expected.is_empty(), "{outer:?} over {inner:?} at {:?}", at.coords());
        }
    }
    assert!(composed > 500 && declined > 500, "{composed} composed, {declined} declined");
}

#[test]
fn single_maps_are_closed_under_composition() {
    let mut random = Random::new(3);
    for _ in 0..2_000 {
        let (consumer, middle, producer) = (grid(&mut random), grid(&mut random), grid(&mut random));
        let outer = wiring_onto(&mut random, &middle, &consumer, true);
        let inner = wiring_onto(&mut random, &producer, &middle, true);
        let straight = outer.compose(&inner, &consumer);
        assert!(straight.is_some_and(|wiring| wiring.is_axis_map()), "{outer:?} over {inner:?}");
    }
}

fn source(shape: &[usize]) -> Layer {
    let task = FnTask::new("source", |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index())));
    Layer::build(task).finish(Grid::from(shape))
}

fn collect(layer: Layer) -> Result<Graph, Error> {
    Graph::collect(&[Request { port: Port::of(layer), places: Places::All }])
}

/// What is wrong with a layer of this grid that reads the source so.
#[track_caller]
fn misfit(source: &Layer, wiring: Wiring, shape: &[usize]) -> Misfit {
    let port = Port::of(source.clone());
    let layer = Layer::build(Forward::new("reader")).input(&port, wiring).finish(Grid::from(shape));
    match collect(layer) {
        Err(Error::Wiring { misfit, .. }) => *misfit,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_planned() {
    let line = source(&[3]);
    let affine = |start, step| Wiring::axes([AxisMap::Affine { axis: 0, start, step }]);
    assert_eq!(misfit(&line, affine(1, 1), &[3]), Misfit::Outside { axis: 0, at: 3, n: 3 });
    assert_eq!(misfit(&line, affine(1, -1), &[3]), Misfit::Outside { axis: 0, at: -1, n: 3 });
    assert_eq!(
        misfit(&line, Wiring::axes([AxisMap::Fixed(3)]), &[1]),
        Misfit::Outside { axis: 0, at: 3, n: 3 }
    );
    let table: Arc<[u32]> = [0, 7].into();
    let lookup = Wiring::axes([AxisMap::Lookup { axis: 0, table }]);
    assert_eq!(misfit(&line, lookup.clone(), &[2]), Misfit::Outside { axis: 0, at: 7, n: 3 });
    assert_eq!(misfit(&line, lookup, &[3]), Misfit::Table { axis: 0, len: 2, n: 3 });
    let ranges: Arc<[(u32, u32)]> = [(2, 4)].into();
    let ranges = Wiring::axes([AxisMap::Ranges { axis: 0, ranges }]);
    assert_eq!(misfit(&line, ranges, &[1]), Misfit::Outside { axis: 0, at: 3, n: 3 });
    assert_eq!(misfit(&line, Wiring::one_to_one(1), &[4]), Misfit::Outside { axis: 0, at: 3, n: 3 });
    assert_eq!(misfit(&line, Wiring::one_to_one(2), &[3, 3]), Misfit::Maps { n_maps: 2, ndim: 1 });
    assert_eq!(misfit(&line, Wiring::one_to_one(0), &[3]), Misfit::Maps { n_maps: 0, ndim: 1 });
    let other = Wiring::axes([AxisMap::follow(1)]);
    assert_eq!(misfit(&line, other, &[3]), Misfit::NoSuchAxis { axis: 1, ndim: 1 });
    assert_eq!(misfit(&line, Wiring::explicit(Lists::new()), &[2]), Misfit::Lists { len: 0, n_tasks: 2 });
    assert!(matches!(
        misfit(&line, Wiring::part(&[1], &[3], Wiring::one_to_one(1)), &[3]),
        Misfit::Part { .. }
    ));
    let windows = Wiring::neighbors(&[1], true);
    assert_eq!(misfit(&source(&[0]), windows, &[1]), Misfit::Outside { axis: 0, at: 0, n: 0 });
}

#[test]
fn a_coordinate_beyond_an_inner_axis_is_not_the_next_rows_first_task() {
    let table = source(&[2, 2]);
    let shifted = Wiring::axes([AxisMap::follow(0), AxisMap::Affine { axis: 1, start: 1, step: 1 }]);
    assert_eq!(misfit(&table, shifted, &[2, 2]), Misfit::Outside { axis: 1, at: 2, n: 2 });
}

#[test]
fn a_port_without_such_an_output_is_refused() {
    let port = Port { layer: source(&[1]), output: 1 };
    let layer = Layer::build(Forward::new("reader")).input(&port, Wiring::one_to_one(1));
    let line = line!() - 1;
    let error = collect(layer.finish(Grid::from([1]))).unwrap_err();
    let place = format!("{}:{line}:17", file!());
    assert_eq!(
        error.to_string(),
        format!("reader (built at {place}) reads source by a wiring that does not fit: output 1 of 1")
    );
}

#[test]
fn a_consumer_without_tasks_fits_everything() {
    let layer = Layer::build(Forward::new("nothing")).input(&Port::of(source(&[3])), Wiring::one_to_one(2));
    assert!(collect(layer.finish(Grid::from([0]))).is_ok());
}
