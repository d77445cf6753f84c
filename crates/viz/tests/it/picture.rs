//! Reads back what an SVG shows: boxes and ellipses with their texts.

/// A node as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    pub(crate) lines: Vec<String>,
    pub(crate) tooltip: String,
    pub(crate) is_box: bool,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    pub(crate) fill: String,
}

impl Shown {
    pub(crate) fn center(&self) -> (f64, f64) {
        (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }
}

/// The nodes of a picture in the order of its text.
pub(crate) fn nodes(svg: &str) -> Vec<Shown> {
    svg.split("<g class=\"node\">").skip(1).map(|rest| node(&rest[..rest.find("</g>").unwrap()])).collect()
}

/// Number of arrows in a picture.
pub(crate) fn n_arrows(svg: &str) -> usize {
    svg.split("<g class=\"edge\">")
        .skip(1)
        .filter(|rest| rest[..rest.find("</g>").unwrap()].contains("Z\""))
        .count()
}

fn node(text: &str) -> Shown {
    let is_box = text.contains("<rect");
    let shape = &text[text.find(if is_box { "<rect" } else { "<ellipse" }).unwrap()..];
    let number = |name: &str| attribute(shape, name).parse::<f64>().unwrap();
    let (left, right, top, bottom) = match is_box {
        true => (number("x"), number("x") + number("width"), number("y"), number("y") + number("height")),
        false => (
            number("cx") - number("rx"),
            number("cx") + number("rx"),
            number("cy") - number("ry"),
            number("cy") + number("ry"),
        ),
    };
    let lines = text
        .split("<text ")
        .skip(1)
        .map(|rest| rest[rest.find('>').unwrap() + 1..rest.find("</text>").unwrap()].to_owned())
        .collect();
    let tooltip = text[text.find("<title>").unwrap() + 7..text.find("</title>").unwrap()].to_owned();
    Shown { lines, tooltip, is_box, left, right, top, bottom, fill: attribute(shape, "fill") }
}

/// The first attribute of that name.
pub(crate) fn attribute(text: &str, name: &str) -> String {
    let start = text.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
    text[start..start + text[start..].find('"').unwrap()].to_owned()
}
