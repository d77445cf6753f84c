//! Drawings made by hand: what the writers write, and that nothing breaks them.

use musher_viz::{Color, Direction, Drawing, Error, Legend, Node};

use crate::picture::{attribute, n_arrows, nodes};

fn inc() -> Drawing {
    let mut drawing = Drawing::new();
    let one = drawing.node(Node::data("1"));
    let inc = drawing.node(Node::operation("inc"));
    let two = drawing.node(Node::data("2").fill(Color::new(68, 1, 84)));
    drawing.edge(one, inc);
    drawing.straight_edge(inc, two);
    drawing
}

#[test]
fn a_small_graph_as_dot() {
    let mut drawing = inc();
    drawing.title = Some("one \"plus\" one".into());
    drawing.notes.push("C:\\n".into());
    drawing.direction = Direction::LeftToRight;
    insta::assert_snapshot!(drawing.to_dot(), @r##"
    digraph musher {
      graph [rankdir=LR, labelloc=t, label="one \"plus\" one\nC:\\n"];
      node [fontname="Helvetica", style="filled,rounded"];
      n0 [label="1", shape=box, fillcolor="#e6eef7", fontcolor="#1f2933", tooltip="1"];
      n1 [label="inc", shape=ellipse, fillcolor="#fdeed3", fontcolor="#1f2933", tooltip="inc"];
      n2 [label="2", shape=box, fillcolor="#440154", fontcolor="#ffffff", tooltip="2"];
      n0 -> n1;
      n1 -> n2 [weight=8];
    }
    "##);
}

#[test]
fn a_small_graph_as_svg() {
    insta::assert_snapshot!(inc().to_svg_string(), @r##"
    <svg xmlns="http://www.w3.org/2000/svg" width="93" height="203" viewBox="0 0 93 203" font-family="DejaVu Sans, Verdana, Helvetica, Arial, sans-serif">
    <g class="paper"><rect x="0" y="0" width="93" height="203" fill="#ffffff"/></g>
    <g class="edge"><path d="M46.5 52C46.5 61.76 46.5 66.64 46.5 76.4" fill="none" stroke="#707d8a" stroke-width="1.15" opacity="0.85"/><path d="M46.5 82L43.7 75L49.3 75Z" fill="#707d8a"/></g>
    <g class="edge"><path d="M46.5 121C46.5 130.76 46.5 135.64 46.5 145.4" fill="none" stroke="#707d8a" stroke-width="1.15" opacity="0.85"/><path d="M46.5 151L43.7 144L49.3 144Z" fill="#707d8a"/></g>
    <g class="node"><title>1</title><rect x="31.5" y="24" width="30" height="28" rx="4" fill="#e6eef7" stroke="#8c959f" stroke-width="1.2"/><text x="46.5" y="42.68" font-size="13" fill="#1f2933" text-anchor="middle">1</text></g>
    <g class="node"><title>inc</title><ellipse cx="46.5" cy="101.5" rx="22.5" ry="19.5" fill="#fdeed3" stroke="#99958b" stroke-width="1.2"/><text x="46.5" y="106.18" font-size="13" fill="#1f2933" text-anchor="middle">inc</text></g>
    <g class="node"><title>2</title><rect x="31.5" y="151" width="30" height="28" rx="4" fill="#440154" stroke="#331345" stroke-width="1.2"/><text x="46.5" y="169.68" font-size="13" fill="#ffffff" text-anchor="middle">2</text></g>
    </svg>
    "##);
}

#[test]
fn hostile_labels_stay_text() {
    let hostile = "<img src=x onerror=alert(1)>\"'&\u{0}\u{1b}]]>\n</text></svg>";
    let mut drawing = Drawing::new();
    let node = drawing.node(Node::operation(hostile).details([hostile.to_owned()]).tooltip(hostile));
    let other = drawing.node(Node::data("\\N\" ]; evil [label=\""));
    drawing.edge(node, other);
    drawing.title = Some(hostile.into());
    drawing.notes.push(hostile.into());
    drawing.legend = Some(Legend::Groups(vec![(hostile.into(), Color::new(1, 2, 3))]));
    let svg = drawing.to_svg_string();
    let tags = ["svg", "g", "rect", "ellipse", "path", "text", "title"];
    for rest in svg.split('<').skip(1) {
        let name = rest.trim_start_matches('/').split([' ', '>', '/']).next().unwrap();
        assert!(tags.contains(&name), "unexpected tag {name:?}");
    }
    assert_eq!(svg.matches("<svg").count(), 1);
    assert!(svg.chars().all(|character| !character.is_control() || character == '\n'));
    let dot = drawing.to_dot();
    assert!(dot.contains(r#"n1 [label="\\N\" ]; evil [label=\"", shape=box"#), "{dot}");
    assert_eq!(dot.lines().count(), 7, "no label starts a line of its own: {dot}");
    assert!(drawing.to_png().is_ok());
}

#[test]
fn every_direction_puts_the_source_where_it_says() {
    for (direction, along, sign) in [
        (Direction::TopToBottom, 1, 1.0),
        (Direction::BottomToTop, 1, -1.0),
        (Direction::LeftToRight, 0, 1.0),
        (Direction::RightToLeft, 0, -1.0),
    ] {
        let mut drawing = inc();
        drawing.direction = direction;
        let shown = nodes(&drawing.to_svg_string());
        let centers: Vec<[f64; 2]> = shown.iter().map(|node| node.center().into()).collect();
        for pair in centers.windows(2) {
            assert!(sign * (pair[1][along] - pair[0][along]) > 30.0, "{direction:?}");
            assert!((pair[1][1 - along] - pair[0][1 - along]).abs() < 0.1, "{direction:?}");
        }
    }
}

#[test]
fn nothing_stands_outside_the_paper_or_on_another_node() {
    let mut state = 11_u64;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % limit as u64) as usize
    };
    for n in [1, 2, 7, 40, 150] {
        let mut drawing = Drawing::new();
        for index in 0..n {
            let label = "x".repeat(1 + next(12));
            drawing.node(if next(2) == 0 { Node::data(label) } else { Node::operation(label) });
            for _ in 0..next(4).min(index) {
                drawing.edge(next(index), index);
            }
        }
        let svg = drawing.to_svg_string();
        let (width, height): (f64, f64) =
            (attribute(&svg, "width").parse().unwrap(), attribute(&svg, "height").parse().unwrap());
        let shown = nodes(&svg);
        assert_eq!(shown.len(), n);
        for (index, a) in shown.iter().enumerate() {
            assert!(a.left >= 0.0 && a.top >= 0.0 && a.right <= width && a.bottom <= height, "{a:?}");
            for b in &shown[..index] {
                let apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
                assert!(apart, "{a:?} covers {b:?}");
            }
        }
        assert_eq!(svg, drawing.to_svg_string(), "the same picture every time");
    }
}

#[test]
fn cycles_loops_and_repeated_edges_are_drawn() {
    let mut drawing = Drawing::new();
    let nodes: Vec<usize> = (0..4).map(|index| drawing.node(Node::operation(format!("t{index}")))).collect();
    for (from, to) in [(0, 1), (1, 2), (2, 0), (2, 2), (0, 1), (0, 3), (3, 0), (1, 3)] {
        drawing.edge(nodes[from], nodes[to]);
    }
    // The loop has no line, and the repeated edge is one line.
    assert_eq!(n_arrows(&drawing.to_svg_string()), 6);
    assert_eq!(drawing.to_dot().matches("->").count(), 8);
}

#[test]
#[should_panic(expected = "edge names node 3, but there are 3 nodes")]
fn an_edge_to_nowhere_panics() {
    inc().edge(0, 3);
}

#[test]
fn an_empty_drawing_is_an_empty_picture() {
    let drawing = Drawing::new();
    assert!(nodes(&drawing.to_svg_string()).is_empty());
    assert!(drawing.to_png().is_ok());
    assert!(drawing.to_dot().ends_with("}\n"));
}

#[test]
fn a_png_shows_the_colors_of_the_nodes_on_white_paper() {
    let mut drawing = inc();
    drawing.title = Some("title".into());
    let pixels = tiny_skia::Pixmap::decode_png(&drawing.to_png().unwrap()).unwrap();
    let svg = drawing.to_svg_string();
    let width: u32 = attribute(&svg, "width").parse().unwrap();
    assert_eq!(pixels.width(), 2 * width);
    let shown = nodes(&svg);
    let color_at = |x: f64, y: f64| {
        let pixel = pixels.pixel((2.0 * x) as u32, (2.0 * y) as u32).unwrap();
        format!("#{:02x}{:02x}{:02x}", pixel.red(), pixel.green(), pixel.blue())
    };
    for node in &shown {
        assert_eq!(color_at(node.left + 6.0, node.center().1), node.fill);
    }
    assert_eq!(color_at(1.0, 1.0), "#ffffff");
    // Text is there: dark pixels on the light boxes.
    let (x, y) = shown[1].center();
    let dark = (-12..12).flat_map(|dx| (-6..6).map(move |dy| (dx, dy)));
    assert!(dark.filter(|&(dx, dy)| color_at(x + f64::from(dx), y + f64::from(dy)) == "#1f2933").count() > 3);
}

#[test]
fn a_huge_picture_is_drawn_smaller() {
    let mut drawing = Drawing::new();
    for index in 0..4_000 {
        let node = drawing.node(Node::data(format!("a rather wide label {index}")));
        if index > 0 {
            drawing.edge(node - 1, node);
        }
    }
    for _ in 0..400 {
        let node = drawing.node(Node::data("beside"));
        drawing.edge(0, node);
    }
    let png = drawing.to_png().unwrap();
    let pixels = tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert!(u64::from(pixels.width()) * u64::from(pixels.height()) < 16_500_000);
    assert!(pixels.pixels().iter().any(|pixel| pixel.red() < 200));
}

#[test]
fn files_are_written_whole_and_in_the_form_that_their_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    inc().save(at("a.svg")).unwrap();
    inc().save(at("a.png")).unwrap();
    inc().save(at("a.dot")).unwrap();
    assert_eq!(std::fs::read_to_string(at("a.svg")).unwrap(), inc().to_svg_string());
    assert_eq!(std::fs::read(at("a.png")).unwrap()[1..4], *b"PNG");
    assert_eq!(std::fs::read_to_string(at("a.dot")).unwrap(), inc().to_dot());
    let error = inc().save(at("a.pdf")).unwrap_err();
    assert!(matches!(error, Error::UnknownExtension { .. }));
    assert!(error.to_string().ends_with("expected svg, png or dot"), "{error}");
    assert!(matches!(inc().save(at("missing/a.svg")).unwrap_err(), Error::Write { .. }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left behind");
}

#[test]
fn a_long_chain_needs_little_stack() {
    let draw = || {
        let mut drawing = Drawing::new();
        for index in 0..50_000 {
            let node = drawing.node(Node::operation("inc"));
            if index > 0 {
                drawing.edge(node - 1, node);
            }
        }
        drawing.to_svg_string().len()
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(draw).unwrap();
    assert!(thread.join().unwrap() > 10_000_000);
}
