//! Annotations of equal work that is built several times: the strongest hold, in whatever order it is met.

use musher_graph_core::{Annotations, Graph, GraphLayer, Port, Request, Wiring, annotate};
use musher_testkit::Random;

use crate::support::{all, source, sum};

/// The layers of a graph by their labels.
fn layer<'a>(graph: &'a Graph, label: &str) -> &'a GraphLayer {
    graph.layers().iter().find(|layer| layer.task.label() == label).unwrap()
}

/// `last` reads `first`, all of it under these annotations.
fn pair(annotations: Option<Annotations>) -> Request {
    let build = || all(&sum("last", &[(&source("first", &[2]), Wiring::one_to_one(1))], &[2]));
    match annotations {
        Some(annotations) => annotate(annotations, build),
        None => build(),
    }
}

#[test]
fn the_strongest_annotations_of_equal_work_hold() {
    let seldom = Annotations::new().priority(-3).retries(1).resource("gpu", 2).resource("disk", 1);
    let often = Annotations::new().priority(-7).retries(4).resource("gpu", 1).resource("line", 5);
    let both =
        Annotations::new().priority(-3).retries(4).resource("disk", 1).resource("line", 5).resource("gpu", 2);
    let plain_too = both.clone().priority(0);
    let cases = [
        (vec![Some(seldom.clone()), Some(often.clone())], Some(&both)),
        (vec![Some(often.clone()), Some(seldom.clone())], Some(&both)),
        (vec![Some(often.clone()), None, Some(seldom.clone())], Some(&plain_too)),
        (vec![None, Some(seldom.clone()), Some(often)], Some(&plain_too)),
        (vec![Some(seldom.clone()), Some(seldom.clone())], Some(&seldom)),
        (vec![Some(Annotations::new().priority(-1)), None], None),
        (vec![None, None], None),
    ];
    for (annotations, expected) in cases {
        let requests: Vec<Request> = annotations.into_iter().map(pair).collect();
        let graph = Graph::collect(&requests).unwrap();
        assert_eq!(graph.layers().len(), 2, "equal work is done once");
        // Also of what is needed, which nobody asked for.
        for label in ["first", "last"] {
            assert_eq!(layer(&graph, label).annotations.as_deref(), expected, "{label}");
        }
    }
}

/// Annotations at random; one in three times none.
fn annotations(random: &mut Random) -> Option<Annotations> {
    let mut annotations = Annotations::new().priority(random.below(5) as i32 - 2);
    for name in ["a", "b", "c"] {
        if random.one_in(2) {
            annotations = annotations.resource(name, 1 + random.below(3) as u32);
        }
    }
    let annotations =
        if random.one_in(2) { annotations.retries(random.below(4) as u32) } else { annotations };
    (!random.one_in(3)).then_some(annotations)
}

/// What all of these priority together, by the words of the documentation.
fn together(all: &[Option<Annotations>]) -> (i32, Option<u32>, Vec<(String, u32)>) {
    let said = || all.iter().flatten();
    let priority =
        all.iter().map(|annotations| annotations.as_ref().map_or(0, Annotations::priority_of)).max();
    let mut resources: Vec<(String, u32)> = Vec::new();
    for name in ["a", "b", "c"] {
        let amounts = said().flat_map(Annotations::resources).filter(|(other, _)| *other == name);
        resources.extend(amounts.map(|(_, amount)| amount).max().map(|amount| (name.to_owned(), amount)));
    }
    (priority.unwrap_or(0), said().filter_map(Annotations::retries_of).max(), resources)
}

#[test]
fn random_graphs_built_again_and_again_have_the_annotations_of_all() {
    const LABELS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
    for seed in 0..500 {
        let mut random = Random::new(seed);
        let reads: Vec<Vec<usize>> =
            (0..8).map(|own| (0..own).filter(|_| random.one_in(3)).collect()).collect();
        let mut said: Vec<Vec<Option<Annotations>>> = vec![Vec::new(); 8];
        let mut requests = Vec::new();
        for _ in 0..1 + random.below(4) {
            let mut ports: Vec<Port> = Vec::new();
            for (own, reads) in reads.iter().enumerate() {
                let build = || {
                    let inputs: Vec<_> =
                        reads.iter().map(|&read| (&ports[read], Wiring::one_to_one(1))).collect();
                    sum(LABELS[own], &inputs, &[2])
                };
                let annotations = annotations(&mut random);
                let port = annotations.clone().map_or_else(build, |annotations| annotate(annotations, build));
                said[own].push(annotations);
                ports.push(port);
            }
            // All of them, so that each is met; in an order of its own each time.
            let from = random.below(8);
            requests.extend((0..8).map(|index| all(&ports[(index * 3 + from) % 8])));
        }
        let graph = Graph::collect(&requests).unwrap();
        assert_eq!(graph.layers().len(), 8);
        for (own, said) in said.iter().enumerate() {
            let found = layer(&graph, LABELS[own]).annotations.clone().unwrap_or_default();
            let resources = found.resources().map(|(name, amount)| (name.to_owned(), amount)).collect();
            assert_eq!(
                (found.priority_of(), found.retries_of(), resources),
                together(said),
                "seed {seed}, layer {own}"
            );
        }
    }
}
