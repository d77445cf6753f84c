//! The attribute [`macro@delayed`] and the derive [`macro@Token`], which `musher` re-exports.
//!
//! Both write paths into the crate that holds the engine, by default `::musher`; someone who depends on
//! `musher-graph-core` alone adds this crate and says `crate = musher_graph_core`.

mod delayed;
mod token;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, ItemFn, parse_macro_input};

/// Makes a function build a delayed call instead of running.
///
/// `#[delayed] fn add(a: i64, b: &Vec<f64>) -> f64` becomes `fn add(a: impl IntoArg<i64>, b: impl IntoArg<Vec<f64>>) -> Delayed<f64>`:
/// each argument is a plain value, `opaque(value)`, a `Delayed`, or a vector of `Delayed`s for a vector. The function
/// keeps its documentation and visibility, and an error names the line on which it was called.
///
/// Options, in any order:
/// - `impure`: each call is work of its own, for code that reads the clock, the environment, files or statics;
/// - `fallible`: the function returns `Result<T, E>`, its error fails the run, and the call is a `Delayed<T>`;
/// - `crate = path`: where the engine is, by default `::musher`.
///
/// # Errors
/// These do not compile, each with the reason at the token that is to blame: generics, `self`, `async`, `unsafe`, `const`,
/// more than four parameters, `&mut`, `&str` (write `&String`) and `&[T]` (write `&Vec<T>`).
///
/// # Examples
/// ```
/// use musher_graph_core::{Collection, Delayed};
/// use musher_macros::delayed;
///
/// /// One more.
/// #[delayed(crate = musher_graph_core)]
/// fn increment(x: i64) -> i64 {
///     x + 1
/// }
///
/// #[delayed(crate = musher_graph_core)]
/// fn total(values: &Vec<i64>, offset: i64) -> i64 {
///     values.iter().sum::<i64>() + offset
/// }
///
/// #[delayed(crate = musher_graph_core, impure)]
/// fn now() -> std::time::SystemTime {
///     std::time::SystemTime::now()
/// }
///
/// #[delayed(crate = musher_graph_core, fallible)]
/// fn parse(text: &String) -> Result<i64, std::num::ParseIntError> {
///     text.parse()
/// }
///
/// let two: Delayed<i64> = increment(1);
/// let sum = total(vec![two.clone(), increment(&two), parse("5".to_string())], 10);
/// assert_eq!(sum.port().layer.label(), "total");
/// assert_eq!(increment(1).port().key(), two.port().key(), "equal calls are one task");
/// assert_ne!(now().port().key(), now().port().key(), "two readings of the clock");
/// ```
///
/// A generic function is refused:
/// ```compile_fail
/// #[musher_macros::delayed(crate = musher_graph_core)]
/// fn identity<T>(x: T) -> T { x }
/// ```
///
/// So are a borrowed slice, a mutable argument and a fifth parameter:
/// ```compile_fail
/// #[musher_macros::delayed(crate = musher_graph_core)]
/// fn sum(values: &[f64]) -> f64 { values.iter().sum() }
/// ```
/// ```compile_fail
/// #[musher_macros::delayed(crate = musher_graph_core)]
/// fn clear(values: &mut Vec<f64>) { values.clear() }
/// ```
/// ```compile_fail
/// #[musher_macros::delayed(crate = musher_graph_core)]
/// fn five(a: u8, b: u8, c: u8, d: u8, e: u8) -> u8 { a }
/// ```
///
/// An argument of another type does not compile, nor does `fallible` on a function that cannot fail:
/// ```compile_fail,E0277
/// #[musher_macros::delayed(crate = musher_graph_core)]
/// fn increment(x: i64) -> i64 { x + 1 }
/// increment("one");
/// ```
/// ```compile_fail
/// #[musher_macros::delayed(crate = musher_graph_core, fallible)]
/// fn increment(x: i64) -> i64 { x + 1 }
/// ```
#[proc_macro_attribute]
pub fn delayed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    delayed::Options::parse(arguments.into())
        .and_then(|options| delayed::expand(&options, &function))
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Enters every field of a struct or enum into a fingerprint.
///
/// The type's path enters first, then the fields in the order of their declaration; of an enum the variant, too. Each
/// field's type must be `Token`, and so must each type parameter. `#[token(crate = path)]` says where the engine is, by default
/// `::musher`.
///
/// # Examples
/// ```
/// use musher_graph_core::Key;
/// use musher_macros::Token;
///
/// #[derive(Token)]
/// #[token(crate = musher_graph_core)]
/// enum Filter<T> {
///     Nothing,
///     Gaussian { sigma: f64, truncate: f64 },
///     Kernel(Vec<T>),
/// }
///
/// let narrow = Filter::<f64>::Gaussian { sigma: 1.0, truncate: 4.0 };
/// let wide = Filter::<f64>::Gaussian { sigma: 2.0, truncate: 4.0 };
/// assert_ne!(Key::of(&narrow), Key::of(&wide));
/// assert_ne!(Key::of(&Filter::<f64>::Nothing), Key::of(&Filter::<f64>::Kernel(vec![])));
/// ```
///
/// A field that has no token is refused, and so is a union:
/// ```compile_fail,E0277
/// #[derive(musher_macros::Token)]
/// #[token(crate = musher_graph_core)]
/// struct Job { thread: std::thread::Thread }
/// ```
/// ```compile_fail
/// #[derive(musher_macros::Token)]
/// #[token(crate = musher_graph_core)]
/// union Word { number: u32, float: f32 }
/// ```
#[proc_macro_derive(Token, attributes(token))]
pub fn derive_token(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    token::expand(&input).unwrap_or_else(Error::into_compile_error).into()
}
