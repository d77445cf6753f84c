//! `#[delayed]`: how arguments arrive, what the layer is called, which line it names.

use musher::{Collection, Compute, Delayed, delayed, opaque};

#[delayed]
fn mixed(mut a: i64, b: &Vec<f64>, (c, d): (u8, u8), e: &String) -> String {
    a += i64::from(c + d);
    format!("{a} {b:?} {e}")
}

#[delayed]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

#[delayed(fallible)]
fn parse(text: &String) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}

#[delayed(crate = musher::graph)]
fn nothing() {}

/// Not `Token`, so that it enters as `opaque`.
#[derive(Clone)]
struct Model(f64);

#[delayed]
fn score(model: &Model, x: f64) -> f64 {
    model.0 * x
}

/// The attribute inside a module: visibility and `super::` stay what they were.
mod inner {
    const OFFSET: i64 = 5;

    pub(super) mod deeper {
        #[musher::delayed]
        pub(crate) fn shift(shift: i64) -> i64 {
            shift + super::OFFSET
        }
    }
}

#[test]
fn values_references_patterns_and_delayed_values_arrive() {
    let vector = Delayed::ready(vec![0.5]);
    let text = mixed(1, vector, (2, 3), "x".to_string()).compute().unwrap();
    assert_eq!(text, "6 [0.5] x");
    assert_eq!(score(opaque(Model(2.0)), 4.0).compute().unwrap(), 8.0);
    nothing().compute().unwrap();
}

#[test]
fn a_function_may_call_itself_and_be_called_like_its_parameter() {
    assert_eq!(factorial(5).compute().unwrap(), 120);
    assert_eq!(inner::deeper::shift(1).compute().unwrap(), 6);
}

#[test]
fn the_layer_has_the_functions_name_and_the_callers_line() {
    let call = factorial(3);
    let line = line!() - 1;
    assert_eq!(call.port().layer.label(), "factorial");
    assert_eq!(call.port().layer.caller().line(), line);
    assert!(call.port().layer.caller().file().ends_with("delayed.rs"));
}

#[test]
fn a_fallible_function_gives_its_value_or_fails_the_run() {
    let sum = factorial(3);
    assert_eq!(parse("7".to_string()).compute().unwrap(), 7);
    let error = parse("seven".to_string()).compute().unwrap_err();
    assert!(error.to_string().contains("parse"), "{error}");
    assert_eq!(sum.compute().unwrap(), 6);
}
