//! `#[derive(Token)]`: equal values have equal keys, all others different ones.

use musher::{Key, Token};

#[derive(Token)]
struct Named {
    width: usize,
    name: String,
}

#[derive(Token)]
struct Tuple(usize, String);

#[derive(Token)]
#[token(crate = musher::graph)]
struct Unit;

#[derive(Token)]
enum Shape<'a, T, const N: usize>
where
    T: Copy,
{
    Empty,
    Other,
    Points([T; N]),
    Text { text: &'a str, scale: T },
}

#[derive(Token)]
enum Never {}

fn points(x: f64) -> Shape<'static, f64, 2> {
    Shape::Points([x, 1.0])
}

fn text(scale: f64) -> Shape<'static, f64, 2> {
    Shape::Text { text: "a", scale }
}

#[test]
fn equal_values_have_equal_keys() {
    assert_eq!(Key::of(&points(2.0)), Key::of(&points(2.0)));
    assert_eq!(Key::of(&Unit), Key::of(&Unit));
    let named = || Named { width: 1, name: "a".into() };
    assert_eq!(Key::of(&named()), Key::of(&named()));
    assert_eq!(Key::of(&None::<Never>), Key::of(&None::<Never>));
}

#[test]
fn different_values_variants_and_types_have_different_keys() {
    let keys = [
        Key::of(&Named { width: 1, name: "a".into() }),
        Key::of(&Named { width: 2, name: "a".into() }),
        Key::of(&Named { width: 1, name: "b".into() }),
        Key::of(&Tuple(1, "a".into())),
        Key::of(&Unit),
        Key::of(&Shape::<f64, 2>::Empty),
        Key::of(&Shape::<f64, 2>::Other),
        Key::of(&points(0.0)),
        Key::of(&points(-0.0)),
        Key::of(&text(1.0)),
        Key::of(&text(2.0)),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{index}");
    }
}
