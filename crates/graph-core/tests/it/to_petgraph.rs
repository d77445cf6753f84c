//! The exit to petgraph: the same tasks, layers and edges.

use std::collections::BTreeSet;

use musher_graph_core::petgraph::Direction;
use musher_graph_core::petgraph::algo::{is_cyclic_directed, toposort};
use musher_graph_core::petgraph::visit::EdgeRef;
use musher_graph_core::{Graph, GraphBuilder, TaskIx, Wiring};
use musher_testkit::{Alive, Drawn, Random};

use crate::support::{all, planned, request, source, sum};

#[test]
fn tasks_of_random_graphs_keep_their_numbers_and_edges() {
    let mut random = Random::new(11);
    for _ in 0..50 {
        let drawn = Drawn::random(&mut random, 30);
        let plan = planned(&drawn.requests(&Alive::default(), &drawn.sinks()));
        let (tasks, graph) = (plan.tasks(), plan.to_petgraph());
        assert_eq!((graph.node_count(), graph.edge_count()), (tasks.n_tasks(), tasks.n_edges()));
        for node in graph.node_indices() {
            let task = TaskIx(node.index() as u32);
            assert_eq!((graph[node].task, graph[node].position), (task, plan.order().position_of(task)));
            // petgraph gives the last edge first.
            let mut read: Vec<_> = graph.edges_directed(node, Direction::Incoming).collect();
            read.reverse();
            assert!(read.iter().map(|edge| edge.weight().slot).eq(tasks.inputs_of(task).iter().copied()));
            for edge in read {
                assert_eq!(edge.source().index(), tasks.task_of(edge.weight().slot).index());
                assert_eq!(edge.weight().bytes, tasks.bytes_of(edge.weight().slot));
            }
        }
        // The plan's own order is one that petgraph would allow.
        assert!(toposort(&graph, None).is_ok());
        assert!(
            graph
                .edge_references()
                .all(|edge| { graph[edge.source()].position < graph[edge.target()].position })
        );
    }
}

#[test]
fn layers_keep_their_numbers_and_a_hand_made_one_is_no_cycle() {
    let a = source("a", &[4]);
    let b = sum("b", &[(&a, Wiring::one_to_one(1)), (&a, Wiring::neighbors(&[1], false))], &[4]);
    let graph = Graph::collect(&[all(&b)]).unwrap();
    let layers = graph.to_petgraph();
    let labels: BTreeSet<_> =
        layers.node_indices().map(|node| (node.index(), layers[node].task.label().into_owned())).collect();
    assert_eq!(labels, [(0, "a".to_owned()), (1, "b".to_owned())].into());
    assert_eq!(layers.edge_count(), 2, "one for each slot");

    let mut tasks = GraphBuilder::new();
    let one = tasks.add([], |_| 1);
    let two = tasks.add([one], |inputs| inputs[0] + 1);
    let handmade = Graph::collect(&[request(&tasks.build(&[two]))]).unwrap();
    let layers = handmade.to_petgraph();
    assert_eq!((layers.node_count(), layers.edge_count()), (1, 0));
    assert!(!is_cyclic_directed(&layers));
}
