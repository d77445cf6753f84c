//! Forecasts: what is spilled under a limit, counted by hand and against a slow simulation, and by both policies.

use musher_graph_core::{
    AxisMap, Collection, Facts, FnTask, Forecast, Graph, Grid, Inputs, Layer, Place, Plan, Policy, Port,
    SlotIx, TaskGraph, TaskIx, Value, Wiring, delayed,
};
use musher_testkit::{Alive, Drawn, Random};

use crate::support::all;

fn plan(drawn: &Drawn) -> Plan {
    Plan::new(Graph::collect(&drawn.requests(&Alive::default(), &drawn.sinks())).unwrap()).unwrap()
}

/// The forecast with this many bytes beside the plan's tables.
fn forecast(plan: &Plan, room: u64, policy: Policy) -> Forecast {
    plan.forecast(plan.tasks().table_bytes() as u64 + room, policy)
}

#[test]
fn the_chunk_needed_last_goes_and_comes_back() {
    //   0  1  2
    //   |   \ |
    //   |    3          room for two chunks of 1000 bytes and a small one
    //    \  |
    //      4
    let mut drawn = Drawn::new(&[&[], &[], &[], &[1, 2], &[0, 3]]);
    drawn.bytes = vec![1000, 1000, 1000, 1000, 1];
    // In any order one chunk is made before three others are alive at once.
    let plan = plan(&drawn);
    let told = forecast(&plan, 3000, Policy::Furthest);
    assert_eq!(plan.peak_bytes(), 3000);
    assert_eq!((told.spilled_bytes, told.reloaded_bytes, told.too_large), (0, 0, None));
    let told = forecast(&plan, 2999, Policy::Furthest);
    assert!(told.too_large.is_some(), "3 with both that it reads");
    assert_eq!((told.peak_bytes, told.spilled_bytes), (3000, 0), "nothing beside it could leave");
}

#[test]
fn a_chunk_that_was_written_once_is_not_written_again() {
    //  0 ─┬────────┬────────┐
    //     |        |        |
    //  1 ─2 ── 3 ──4 ── 5 ──6        0 is read by 2, 4 and 6; 3 and 5 need scratch that it must leave for
    let mut drawn = Drawn::new(&[&[], &[], &[0, 1], &[2], &[0, 3], &[4], &[0, 5]]);
    drawn.bytes = vec![100, 1, 1, 1, 1, 1, 1];
    drawn.scratch = vec![0, 0, 0, 150, 0, 150, 0];
    let plan = plan(&drawn);
    let told = forecast(&plan, 200, Policy::Furthest);
    assert_eq!((told.spilled_bytes, told.reloaded_bytes), (100, 200));
    assert_eq!((told.n_spilled, told.n_reloaded, told.too_large), (1, 2, None));
    assert_eq!(told.peak_bytes, 152, "scratch with input and output");
    let text = told.to_string();
    assert!(text.ends_with("spills 100 B in 1 chunk, reads 200 B back"), "{text}");
}

/// The same as a forecast by looking at every chunk each time.
fn slowly(plan: &Plan, room: u64, policy: Policy) -> (u64, u64, u64) {
    let tasks = plan.tasks();
    let bytes = |slot: usize| tasks.bytes_of(SlotIx(slot as u32)).unwrap();
    let order: Vec<TaskIx> = plan.order().iter().collect();
    let n = order.len();
    let next_use = |slot: usize, after: usize| {
        let reads = |&at: &usize| tasks.inputs_of(order[at]).iter().any(|read| read.index() == slot);
        let asked = tasks.requested().iter().any(|asked| asked.index() == slot);
        (after..n).find(reads).or(asked.then_some(n))
    };
    let (mut memory, mut disk) = (Vec::<usize>::new(), Vec::<usize>::new());
    let mut touched = vec![0; tasks.n_slots()];
    let (mut spilled, mut reloaded, mut peak) = (0, 0, 0);
    for at in 0..=n {
        let needed: Vec<usize> = match order.get(at) {
            Some(&task) => tasks.inputs_of(task).iter().map(|slot| slot.index()).collect(),
            None => tasks.requested().iter().map(|slot| slot.index()).collect(),
        };
        let made: Vec<usize> = order.get(at).map_or(vec![], |&task| tasks.outputs_of(task).collect());
        for &slot in &needed {
            if !memory.contains(&slot) {
                memory.push(slot);
                reloaded += bytes(slot);
            }
        }
        let scratch = order.get(at).map_or(0, |&task| tasks.scratch_of(task));
        let beside = made.iter().map(|&slot| bytes(slot)).sum::<u64>() + scratch;
        while memory.iter().map(|&slot| bytes(slot)).sum::<u64>() + beside > room {
            let rank = |slot: usize| {
                let is_written = disk.contains(&slot);
                let distance = match policy {
                    // To leave again costs half as much, so half the distance is as good.
                    Policy::Furthest if is_written => 2 * (next_use(slot, at).unwrap() - at),
                    Policy::Furthest => next_use(slot, at).unwrap() - at,
                    _ => n - touched[slot],
                };
                (distance, !is_written)
            };
            let victims = memory.iter().copied().filter(|slot| !needed.contains(slot));
            let Some(victim) = victims.max_by_key(|&slot| (rank(slot), slot)) else { break };
            memory.retain(|&slot| slot != victim);
            if !disk.contains(&victim) {
                disk.push(victim);
                spilled += bytes(victim);
            }
        }
        peak = peak.max(memory.iter().map(|&slot| bytes(slot)).sum::<u64>() + beside);
        memory.extend(&made);
        needed.iter().chain(&made).for_each(|&slot| touched[slot] = at);
        memory.retain(|&slot| next_use(slot, at + 1).is_some());
    }
    (spilled, reloaded, peak)
}

#[test]
fn forecasts_of_random_graphs_are_those_of_a_slow_simulation() {
    let mut random = Random::new(3);
    let mut n_spilling = 0;
    for round in 0..400 {
        let plan = plan(&Drawn::random(&mut random, 40));
        let room = plan.peak_bytes() * (1 + random.below(10) as u64) / 10;
        for policy in [Policy::Furthest, Policy::LeastRecentlyUsed] {
            let told = forecast(&plan, room, policy);
            let found = (told.spilled_bytes, told.reloaded_bytes, told.peak_bytes);
            assert_eq!(found, slowly(&plan, room, policy), "round {round}, {policy:?}, room for {room}");
            assert_eq!(told.fits, told.peak_bytes <= room);
            assert!(told.too_large.is_none() || !told.fits);
            n_spilling += usize::from(told.n_spilled > 0);
        }
    }
    assert!(n_spilling > 100, "{n_spilling} that spill");
}

/// A layer of chunks of a megabyte.
fn blocks(label: &'static str, inputs: &[(&Port, Wiring)], shape: &[usize]) -> Port {
    let task = FnTask::new(label, |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(0_u64)));
    let mut layer = Layer::build(task.params("test.block/1", &label).facts(|_, _| Facts::bytes(1 << 20)));
    for (port, wiring) in inputs {
        layer = layer.input(port, wiring.clone());
    }
    Port::of(layer.finish(Grid::from(shape)))
}

#[test]
fn knowing_the_future_spills_less_than_remembering_the_past() {
    let side = 20;
    let x = blocks("x", &[], &[side, side]);
    let one = Wiring::one_to_one(2);
    let transposed = Wiring::axes([AxisMap::follow(1), AxisMap::follow(0)]);
    let whole_row = Wiring::axes([AxisMap::follow(0), AxisMap::Whole]);
    let whole_column = Wiring::axes([AxisMap::Whole, AxisMap::follow(1)]);
    let to_rows = Wiring::axes([AxisMap::follow(0), AxisMap::Whole]);
    let column_sums =
        blocks("column sums", &[(&x, Wiring::axes([AxisMap::Whole, AxisMap::follow(0)]))], &[side]);
    let row_sums = blocks("row sums", &[(&x, Wiring::axes([AxisMap::follow(0), AxisMap::Whole]))], &[side]);
    let graphs = [
        ("transpose and add", blocks("x + x.T", &[(&x, one.clone()), (&x, transposed)], &[side, side])),
        ("matmul", blocks("x @ x", &[(&x, whole_row), (&x, whole_column)], &[side, side])),
        ("rechunk", blocks("rows", &[(&x, to_rows)], &[side, 1])),
        (
            "reductions",
            blocks(
                "standardized",
                &[
                    (&x, one),
                    (&column_sums, Wiring::axes([AxisMap::follow(1)])),
                    (&row_sums, Wiring::axes([AxisMap::follow(0)])),
                ],
                &[side, side],
            ),
        ),
    ];
    for (name, graph) in graphs {
        let total =
            blocks("total", &[(&graph, Wiring::tree(&[side, 1]))], &[1, graph.grid().shape()[1] as usize]);
        let plan = Plan::new(Graph::collect(&[all(&total)]).unwrap()).unwrap();
        let room = 120 << 20;
        let told = forecast(&plan, room, Policy::Furthest);
        let past = forecast(&plan, room, Policy::LeastRecentlyUsed);
        assert!(told.too_large.is_none() && told.peak_bytes <= room, "{name}");
        println!("{name}: by the future {told}; by the past {past}");
        let traffic = |told: &Forecast| told.spilled_bytes + told.reloaded_bytes;
        assert!(traffic(&told) <= traffic(&past), "{name}: {told}, by the past {past}");
    }
}

#[test]
fn explain_tells_what_materializes_and_what_is_spilled() {
    //  x ── sum ── x - mean ── total: x waits for its own sum
    let x = blocks("x", &[], &[8]);
    let sum = blocks("sum", &[(&x, Wiring::All)], &[1]);
    let less =
        blocks("less", &[(&x, Wiring::one_to_one(1)), (&sum, Wiring::axes([AxisMap::Fixed(0)]))], &[8]);
    let total = blocks("total", &[(&less, Wiring::tree(&[2]))], &[4]);
    let plan = Plan::new(Graph::collect(&[all(&total)]).unwrap()).unwrap();
    let limit = plan.tasks().table_bytes() as u64 + (10 << 20);
    let explain = plan.explain_with(limit);
    let layer = |label: &str| explain.layers.iter().find(|layer| layer.label == label).unwrap();
    assert_eq!((layer("x").materializes, layer("x").held_bytes), (true, 8 << 20));
    assert!(!layer("sum").materializes, "one chunk");
    assert_eq!([layer("x").n_edges, layer("sum").n_edges, layer("less").n_edges], [0, 8, 16]);
    assert!(explain.forecast.is_some());
    let text = explain.to_string();
    println!("{text}");
    for expected in ["under a memory limit of 10 MiB: nothing", "8.0 MiB *", "in memory at once", "edges"] {
        assert!(text.contains(expected), "{expected:?} in\n{text}");
    }
    let streams = blocks("streams", &[(&x, Wiring::tree(&[2]))], &[4]);
    let plan_of_pairs = Plan::new(Graph::collect(&[all(&streams)]).unwrap()).unwrap();
    let explain = plan_of_pairs.explain();
    assert_eq!(explain.layers.iter().map(|layer| layer.materializes).collect::<Vec<_>>(), [false, true]);
    assert_eq!(explain.layers[0].held_bytes, 2 << 20, "pair by pair");
    let text = plan.explain_with(limit - (3 << 20)).to_string();
    assert!(text.contains("does not fit") || text.contains("spills"), "{text}");
}

#[test]
fn a_plan_of_nothing_has_a_forecast() {
    let nothing = TaskGraph::lower(Graph::collect(&[]).unwrap()).unwrap();
    assert_eq!(nothing.known_bytes(), (0, 0));
    let plan = Plan::new(Graph::collect(&[]).unwrap()).unwrap();
    assert_eq!(plan.forecast(0, Policy::Furthest).peak_bytes, 0);
    assert_eq!(plan.explain_with(0).layers.len(), 0);
}

#[test]
fn explain_does_not_make_up_sizes() {
    let texts: Vec<_> = (0..3).map(|n| delayed(|n: u32| n.to_string()).label("text").call(n)).collect();
    let all = delayed(|texts: Vec<String>| texts.concat()).label("all").call(texts);
    let text = Plan::of(&[all.request()], &|| true).unwrap().explain().to_string();
    assert!(text.contains("one task at a time: unknown, as the sizes of all chunks are\n"), "{text}");
    assert!(!text.contains("1 B") && !text.contains("3 B"), "{text}");
}
