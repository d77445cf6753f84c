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

/// A type of serde's.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Fitted {
    weights: Vec<f64>,
}

#[delayed]
fn fitted(n: usize) -> Fitted {
    Fitted { weights: vec![0.5; n] }
}

#[delayed(fallible)]
fn refitted(model: &Fitted) -> Result<Fitted, std::fmt::Error> {
    Ok(Fitted { weights: model.weights.iter().map(|weight| weight * 2.0).collect() })
}

#[delayed]
fn pinned(x: f64) -> Model {
    Model(x)
}

#[delayed(impure)]
fn text() -> String {
    "text".to_owned()
}

#[test]
fn the_attribute_finds_out_which_results_can_leave_memory() {
    let kind = |port: &musher::Port| port.codec().unwrap().map(|codec| codec.kind());
    assert!(kind(fitted(3).port()).unwrap().ends_with("delayed::Fitted>"));
    let twice = refitted(refitted(fitted(3)));
    assert!(kind(twice.port()).unwrap().ends_with("delayed::Fitted>"));
    assert_eq!(twice.compute().unwrap().weights, [2.0; 3]);
    assert_eq!(kind(pinned(1.0).port()), None);
    assert_eq!(kind(text().port()), Some("core.value/1<String>"), "known, and written without serde");
    assert_eq!(kind(parse("1".to_owned()).port()), Some("core.value/1<i64>"));
    assert_eq!(kind(nothing().port()), Some("core.value/1<()>"));
    let array = delayed(|| musher::ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]])).call(());
    assert_eq!(kind(array.port()), Some("core.value/1<Array<f64,Ix2>>"));
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = musher::Checkpoint::new(folder.path()).version("v1");
    assert_eq!(checkpoint.save(&array).unwrap().collection.compute().unwrap(), array.compute().unwrap());
    assert_eq!(checkpoint.save(&array).unwrap().n_reused, 1);
}
