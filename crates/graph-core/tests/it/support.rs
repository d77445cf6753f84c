//! What several tests here need: layers of closures, requests, and a run of a plan without a scheduler.

use std::sync::Arc;

use musher_graph_core::{
    ChunkRef, Collection, FnTask, Graph, Grid, Inputs, Layer, Place, Places, Plan, Port, Request, TaskGraph,
    TaskIx, Value, Wiring,
};

/// A source whose task at each place gives its own index.
pub(crate) fn source(label: &'static str, shape: &[usize]) -> Port {
    let task = FnTask::new(label, |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index() as u64)));
    Port::of(Layer::build(task.params("test.source/1", &label)).finish(Grid::from(shape)))
}

/// A layer that adds up all it reads.
pub(crate) fn sum(label: &'static str, inputs: &[(&Port, Wiring)], shape: &[usize]) -> Port {
    let add = |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let mut total = 0_u64;
        for slot in 0..inputs.n_slots() {
            total += inputs.slot::<Value<u64>>(slot)?.iter().map(|Value(value)| value).sum::<u64>();
        }
        Ok(Value(total))
    };
    let mut layer = Layer::build(FnTask::new(label, add).params("test.sum/1", &label));
    for (port, wiring) in inputs {
        layer = layer.input(port, wiring.clone());
    }
    Port::of(layer.finish(Grid::from(shape)))
}

pub(crate) fn all(port: &Port) -> Request {
    Request { port: port.clone(), places: Places::All }
}

pub(crate) fn some(port: &Port, places: &[u32]) -> Request {
    Request { port: port.clone(), places: Places::Some(places.into()) }
}

pub(crate) fn request<C: Collection>(collection: &C) -> Request {
    collection.request()
}

pub(crate) fn optimized(requests: &[Request]) -> Graph {
    Graph::collect(requests).unwrap().optimize()
}

pub(crate) fn planned(requests: &[Request]) -> Plan {
    Plan::new(Graph::collect(requests).unwrap()).unwrap()
}

/// How many tasks each layer has after culling, by label, producers first.
pub(crate) fn tasks(graph: &TaskGraph) -> Vec<(String, usize)> {
    let mut counts: Vec<_> =
        graph.layers().iter().map(|layer| (layer.task.label().into_owned(), 0)).collect();
    (0..graph.n_tasks() as u32).for_each(|task| counts[graph.layer_of(TaskIx(task))].1 += 1);
    counts
}

/// Runs a plan's tasks one after the other and gives back what is asked for.
pub(crate) fn run(plan: &Plan) -> Vec<ChunkRef> {
    let tasks = plan.tasks();
    let mut chunks: Vec<Option<ChunkRef>> = vec![None; tasks.n_slots()];
    for task in plan.order().iter() {
        let mut inputs: Vec<_> =
            tasks.inputs_of(task).iter().map(|slot| chunks[slot.index()].clone()).collect();
        let outputs = tasks.run(task, &mut inputs, None).unwrap();
        for (slot, chunk) in tasks.outputs_of(task).zip(outputs.into_chunks()) {
            chunks[slot] = Some(chunk);
        }
    }
    tasks.requested().iter().map(|slot| Arc::clone(chunks[slot.index()].as_ref().unwrap())).collect()
}

/// The values asked for, of a graph that is optimized or not.
pub(crate) fn values(graph: Graph) -> Vec<u64> {
    let chunks = run(&Plan::new(graph).unwrap());
    chunks.iter().map(|chunk| chunk.downcast_ref::<Value<u64>>().unwrap().0).collect()
}
