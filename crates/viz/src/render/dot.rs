//! A drawing in Graphviz's language.

use std::fmt::Write;

use crate::drawing::{Direction, Drawing, Outline};

/// The text of a DOT file.
pub(crate) fn dot(drawing: &Drawing) -> String {
    let mut text = String::from("digraph musher {\n");
    let rankdir = match drawing.direction {
        Direction::TopToBottom => "TB",
        Direction::BottomToTop => "BT",
        Direction::LeftToRight => "LR",
        Direction::RightToLeft => "RL",
    };
    let head: Vec<&str> =
        drawing.title.iter().map(String::as_str).chain(drawing.notes.iter().map(String::as_str)).collect();
    write_line(&mut text, format_args!("  graph [rankdir={rankdir}"));
    if !head.is_empty() {
        text.truncate(text.len() - 1);
        write_line(&mut text, format_args!(", labelloc=t, label={}", quoted(&head.join("\n"))));
    }
    text.truncate(text.len() - 1);
    text.push_str("];\n  node [fontname=\"Helvetica\", style=\"filled,rounded\"];\n");
    for (index, node) in drawing.nodes.iter().enumerate() {
        let shape = match node.outline {
            Outline::Box => "box",
            Outline::Ellipse => "ellipse",
        };
        let lines: Vec<&str> =
            std::iter::once(&node.label).chain(&node.details).map(String::as_str).collect();
        write_line(
            &mut text,
            format_args!(
                "  n{index} [label={}, shape={shape}, fillcolor=\"{}\", fontcolor=\"{}\", tooltip={}];",
                quoted(&lines.join("\n")),
                node.fill,
                node.fill.ink(),
                quoted(&node.tooltip),
            ),
        );
    }
    for edge in &drawing.edges {
        let weight = if edge.straight { " [weight=8]" } else { "" };
        write_line(&mut text, format_args!("  n{} -> n{}{weight};", edge.from, edge.to));
    }
    text.push_str("}\n");
    text
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes all that is written");
    text.push('\n');
}

/// A quoted string; backslashes are doubled, because Graphviz reads `\N` and the like as commands.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
