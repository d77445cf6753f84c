//! Pictures of collections: what stands for what, and that the pictures of the walk-through read well.

use std::collections::HashSet;
use std::sync::Arc;

use musher_graph_core::{
    ChunkRef, Collection, Delayed, FnTask, FnTaskMany, GraphBuilder, Grid, Inputs, Layer, Place, Port,
    TaskError, Value, Wiring, delayed,
};
use musher_scheduler::Compute;
use musher_viz::{Coloring, Direction, Error, View, Visualize, VisualizeOptions};

use crate::picture::{Shown, n_arrows, nodes};

fn inc(x: i64) -> i64 {
    x + 1
}

fn double(x: i64) -> i64 {
    2 * x
}

fn add(a: i64, b: i64) -> i64 {
    a + b
}

fn total(terms: Vec<i64>) -> i64 {
    terms.iter().sum()
}

/// The texts of the operations in a picture.
fn operations(svg: &str) -> Vec<String> {
    nodes(svg).into_iter().filter(|node| !node.is_box).map(|node| node.lines[0].clone()).collect()
}

/// The article's loop: `inc(1)` is called in every turn.
fn article_loop() -> Delayed<i64> {
    let mut terms = Vec::new();
    for x in 0..5 {
        let a = delayed(inc).call(1);
        let b = delayed(double).call(x);
        terms.push(delayed(add).call((&a, &b)));
    }
    delayed(total).call(terms)
}

#[test]
fn the_loop_shows_inc_once() {
    let svg = article_loop().to_svg_string().unwrap();
    let operations = operations(&svg);
    let count = |label: &str| operations.iter().filter(|operation| *operation == label).count();
    assert_eq!(["inc", "double", "add", "total"].map(count), [1, 5, 5, 1]);
    let boxes: HashSet<String> =
        nodes(&svg).into_iter().filter(|node| node.is_box).map(|node| node.lines[0].clone()).collect();
    assert!(boxes.contains("inc") && boxes.contains("double #4") && boxes.contains("total"), "{boxes:?}");
    // Twelve circles to their boxes, five boxes twice into add, five into total.
    assert_eq!(n_arrows(&svg), 12 + 10 + 5);
}

/// Chunks on a grid for tests: nothing is computed with them.
struct Tiles(Port);

impl Collection for Tiles {
    type Output = usize;

    fn port(&self) -> &Port {
        &self.0
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<usize, TaskError> {
        Ok(chunks.len())
    }

    fn with_port(&self, port: Port) -> Self {
        Self(port)
    }
}

/// Nine tiles that are read and made gray, then, if asked for, filtered with their neighbors and thresholded.
fn tiles(filtered: bool) -> Tiles {
    let step = |label: &'static str| {
        FnTask::new(label, |at: Place<'_>, _: &mut Inputs<'_>| Ok(Value(at.index())))
            .params("test.step/1", &label)
    };
    let grid = || Grid::from([3, 3]);
    let mut port = Port::of(Layer::build(step("imread")).finish(grid()));
    port = Port::of(Layer::build(step("rgb_to_gray")).input(&port, Wiring::one_to_one(2)).finish(grid()));
    if filtered {
        let neighbors = Wiring::neighbors(&[1, 1], false);
        port = Port::of(Layer::build(step("gaussian_filter")).input(&port, neighbors).finish(grid()));
        port = Port::of(Layer::build(step("threshold")).input(&port, Wiring::one_to_one(2)).finish(grid()));
    }
    Tiles(port)
}

/// Centers across the picture of the nodes of each tile: `columns[tile]`.
fn columns(shown: &[Shown]) -> Vec<Vec<&Shown>> {
    let place = |node: &Shown| {
        let start = node.tooltip.find(" at [").unwrap() + 5;
        let coords = &node.tooltip[start..start + 4];
        3 * coords[..1].parse::<usize>().unwrap() + coords[3..].parse::<usize>().unwrap()
    };
    let mut columns = vec![Vec::new(); 9];
    shown.iter().for_each(|node| columns[place(node)].push(node));
    columns
}

#[test]
fn nine_tiles_are_nine_separate_columns() {
    let shown = nodes(&tiles(false).to_svg_string().unwrap());
    let columns = columns(&shown);
    let extents: Vec<(f64, f64)> = columns
        .iter()
        .map(|column| {
            assert_eq!(column.len(), 4);
            let left = column.iter().map(|node| node.left).fold(f64::INFINITY, f64::min);
            (left, column.iter().map(|node| node.right).fold(0.0, f64::max))
        })
        .collect();
    for pair in extents.windows(2) {
        assert!(
            pair[0].1 + 10.0 < pair[1].0,
            "columns in the order of the tiles, with room between: {pair:?}"
        );
    }
    for column in columns {
        assert!(column.windows(2).all(|pair| (pair[0].center().0 - pair[1].center().0).abs() < 0.02));
        assert!(column.windows(2).all(|pair| pair[0].bottom < pair[1].top));
    }
}

#[test]
fn neighbors_join_nine_columns_that_stay_straight() {
    let svg = tiles(true).to_svg_string().unwrap();
    let shown = nodes(&svg);
    let mut centers = Vec::new();
    for column in columns(&shown) {
        assert_eq!(column.len(), 8);
        assert!(column.iter().all(|node| (node.center().0 - column[0].center().0).abs() < 0.02));
        centers.push(column[0].center().0);
    }
    assert!(centers.windows(2).all(|pair| pair[0] + 50.0 < pair[1]));
    // 4 corners have 4 neighbors (themselves among them), 4 edges 6, the middle 9.
    assert_eq!(n_arrows(&svg), 9 * 4 + 9 * 2 + (4 * 4 + 4 * 6 + 9));
}

#[test]
fn the_compact_view_has_one_node_for_each_task() {
    let drawing = article_loop().drawing(&VisualizeOptions::default().view(View::Compact)).unwrap();
    assert_eq!(drawing.nodes.len(), 12);
    assert_eq!(drawing.edges.len(), 15);
}

#[test]
fn the_layer_view_says_grid_bytes_and_line() {
    let options = VisualizeOptions::default().view(View::Layers).title("tiles");
    let svg = tiles(true).drawing(&options).unwrap().to_svg_string();
    let shown = nodes(&svg);
    assert_eq!(shown.len(), 4);
    assert_eq!(shown[2].lines[..2], ["gaussian_filter".to_owned(), "9 tasks (3 × 3)".to_owned()]);
    assert!(shown[2].lines[3].starts_with("it/visualize.rs:"), "{:?}", shown[2].lines);
    assert_eq!(n_arrows(&svg), 3);
    assert!(svg.contains(">tiles</text>"));
}

#[test]
fn the_optimized_graph_is_smaller_and_names_its_steps() {
    let plain = tiles(false).drawing(&VisualizeOptions::default()).unwrap();
    let fused = tiles(false).drawing(&VisualizeOptions::default().optimized()).unwrap();
    assert_eq!((plain.nodes.len(), fused.nodes.len()), (36, 18));
    assert!(fused.nodes.iter().any(|node| node.label.contains("imread → rgb_to_gray")));
}

#[test]
fn what_nobody_asks_for_is_not_drawn() {
    let mut graph = GraphBuilder::new();
    let ids: Vec<_> = (0..10).map(|index| graph.add([], move |_| f64::from(index))).collect();
    let sum = graph.add([ids[2], ids[5]], |inputs| inputs[0] + inputs[1]);
    let drawing = graph.label("number").build(&[sum]).drawing(&VisualizeOptions::default()).unwrap();
    assert_eq!(drawing.nodes.len(), 6);
    let labels: Vec<&str> = drawing.nodes.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(labels, ["number", "2", "number", "5", "number", "10"]);
}

#[test]
fn a_big_graph_is_drawn_layer_by_layer_and_says_so() {
    let chain = |n: usize| {
        let mut graph = GraphBuilder::with_capacity(n, n);
        let mut last = graph.add([], |_| 0_u64);
        for _ in 1..n {
            last = graph.add([last], |inputs| inputs[0] + 1);
        }
        graph.build(&[last])
    };
    let chain = chain(3_000);
    let svg = chain.to_svg_string().unwrap();
    assert_eq!(nodes(&svg).len(), 1);
    assert!(svg.contains("3,000 tasks: too many to draw each, so this picture shows layers"));
    let all = chain.drawing(&VisualizeOptions::default().limit(6_000)).unwrap();
    assert_eq!(all.nodes.len(), 6_000);
}

#[test]
fn many_layers_share_boxes_by_label_and_then_by_what_remains() {
    let calls: Vec<Delayed<i64>> = (0..50)
        .map(|x| delayed(inc).label(format!("inc {}", x % 5)).call(&delayed(double).call(x)))
        .collect();
    let options = VisualizeOptions::default().view(View::Layers);
    let by_label = calls.as_slice().drawing(&options.clone().limit(10)).unwrap();
    let labels: Vec<&str> = by_label.nodes.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(labels, ["double", "inc 0", "inc 1", "inc 2", "inc 3", "inc 4"]);
    assert_eq!(by_label.nodes[0].details[0], "50 layers, 50 tasks");
    assert_eq!(by_label.edges.len(), 5);
    assert!(by_label.notes[0].starts_with("100 layers: too many"));
    let rest = calls.as_slice().drawing(&options.limit(3)).unwrap();
    let labels: Vec<&str> = rest.nodes.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(labels, ["double", "inc 0", "and 4 more"]);
}

#[test]
fn a_million_tasks_are_drawn_on_a_small_stack() {
    let draw = || {
        let n = 1_000_000;
        let mut graph = GraphBuilder::with_capacity(n, n);
        let mut last = graph.add([], |_| 0_u64);
        for _ in 1..n {
            last = graph.add([last], |inputs| inputs[0] + 1);
        }
        graph.build(&[last]).to_svg_string().unwrap()
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(draw).unwrap();
    assert!(thread.join().unwrap().contains("1,000,000 tasks"));
}

#[test]
fn colors_follow_order_layer_and_bytes() {
    let fills = |coloring: Coloring| {
        let drawing = article_loop().drawing(&VisualizeOptions::default().color(coloring)).unwrap();
        let svg = drawing.to_svg_string();
        let fills: HashSet<String> = nodes(&svg).into_iter().map(|node| node.fill).collect();
        (fills.len(), svg)
    };
    assert_eq!(fills(Coloring::None).0, 2);
    let (n_colors, svg) = fills(Coloring::Order);
    assert_eq!(n_colors, 12, "one for each task");
    assert!(svg.contains(">last of 12</text>"));
    let (n_colors, svg) = fills(Coloring::Layer);
    assert_eq!(n_colors, 4, "one for each operation");
    assert!(svg.contains("<g class=\"legend\">"));
    assert!(fills(Coloring::Bytes).1.contains("bytes of a chunk"));
    let layers = VisualizeOptions::default().view(View::Layers);
    for coloring in [Coloring::Order, Coloring::Layer, Coloring::Bytes] {
        assert!(article_loop().drawing(&layers.clone().color(coloring)).unwrap().legend.is_some());
    }
}

#[test]
fn chunks_that_are_there_are_boxes_without_a_circle() {
    let held = delayed(inc).call(1).persist().unwrap();
    let drawing = delayed(double).call(&held).drawing(&VisualizeOptions::default()).unwrap();
    let svg = drawing.to_svg_string();
    assert_eq!(operations(&svg), ["double"]);
    assert_eq!(nodes(&svg).len(), 3);
}

#[test]
fn several_collections_share_one_picture() {
    let a = delayed(inc).call(1);
    let (b, c) = (delayed(double).call(&a), delayed(add).call((&a, 2)));
    let drawing = (&a, &b, &c).drawing(&VisualizeOptions::default()).unwrap();
    assert_eq!(drawing.nodes.len(), 6);
    let many: Vec<Delayed<i64>> = (0..4).map(|x| delayed(inc).call(x)).collect();
    assert_eq!(many.as_slice().drawing(&VisualizeOptions::default()).unwrap().nodes.len(), 8);
}

#[test]
fn several_outputs_are_several_boxes() {
    let parts = FnTaskMany::new("split", 2, |_: Place<'_>, _: &mut Inputs<'_>| {
        let chunk = |value: i64| -> ChunkRef { Arc::new(Value(value)) };
        Ok([chunk(1), chunk(2)].into_iter().collect())
    });
    let layer = Layer::build(parts).finish(Grid::from([2]));
    let both = (&Tiles(Port::of(layer.clone())), &Tiles(Port { layer, output: 1 }));
    let drawing = both.drawing(&VisualizeOptions::default()).unwrap();
    let labels: Vec<&str> = drawing.nodes.iter().map(|node| node.label.as_str()).collect();
    assert_eq!(labels, ["split", "0 [0]", "0 [1]", "split", "1 [0]", "1 [1]"]);
}

#[test]
fn a_graph_that_cannot_be_planned_is_an_error() {
    let request = Tiles(Port { layer: tiles(false).0.layer, output: 3 });
    let error = request.to_dot().unwrap_err();
    assert!(matches!(error, Error::Plan(_)), "{error:?}");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("rgb_to_gray"));
}

#[test]
fn files_are_written_by_extension() {
    let folder = tempfile::tempdir().unwrap();
    let options = VisualizeOptions::default().direction(Direction::LeftToRight).color(Coloring::Order);
    for name in ["graph.svg", "graph.png", "graph.dot"] {
        tiles(true).visualize(folder.path().join(name)).unwrap();
        tiles(true).visualize_with(folder.path().join(format!("ordered-{name}")), &options).unwrap();
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
    let dot = std::fs::read_to_string(folder.path().join("ordered-graph.dot")).unwrap();
    assert!(dot.contains("rankdir=LR"));
    assert!(matches!(tiles(true).visualize("graph.pdf").unwrap_err(), Error::UnknownExtension { .. }));
}

#[test]
fn chunks_that_stand_alone_on_their_grids_are_told_apart() {
    // Coordinates on a grid of a single task would be zeros in every box.
    let open = |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(1));
    let tile = |number: u64| FnTask::new("tile", open).params("test.tile/1", &number);
    let tiles: Vec<_> = (0..3)
        .map(|number| Tiles(Port::of(Layer::build(tile(number)).finish(Grid::from([1, 1, 1])))))
        .collect();
    let svg = tiles.as_slice().to_svg_string().unwrap();
    let mut boxes: Vec<String> =
        nodes(&svg).into_iter().filter(|node| node.is_box).map(|node| node.lines[0].clone()).collect();
    boxes.sort();
    assert_eq!(boxes, ["tile #0", "tile #1", "tile #2"]);
}
