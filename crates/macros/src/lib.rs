//! The attribute [`macro@delayed`] and the derive [`macro@Token`], which `musher` re-exports.
//!
//! Both write paths into the crate that holds the engine, by default `::musher`; someone who depends on
//! `musher-graph-core` alone adds this crate and says `crate = musher_graph_core`.
//!
//! What the macros write is tested by the facade, and the examples below run with it: what a test of this crate needs would
//! be compiled a second time, for the side of the compiler on which macros live.

mod delayed;
mod token;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, ItemFn, parse_macro_input};

/// Makes a function build a delayed call instead of running.
///
/// `#[delayed] fn add(a: i64, b: &Vec<f64>) -> f64` becomes `fn add(a: impl IntoArg<i64>, b: impl IntoArg<Vec<f64>>) -> Delayed<f64>`:
/// each argument is a plain value, `opaque(value)`, a `Delayed`, or a vector of `Delayed`s for a vector. The function
/// keeps its documentation and visibility, and an error names the line on which it was called. A result whose type serde can
/// write and read back can leave memory: it may be spilled, and a checkpoint can keep it.
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
// `cargo test --doc` runs them even where the manifest says `doctest = false`.
#[cfg_attr(not(doctest), doc = include_str!("delayed.md"))]
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
#[cfg_attr(not(doctest), doc = include_str!("token.md"))]
#[proc_macro_derive(Token, attributes(token))]
pub fn derive_token(item: TokenStream) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    token::expand(&input).unwrap_or_else(Error::into_compile_error).into()
}
