//! What identifies a user's function in a fingerprint.

use std::any::type_name;

use crate::key::{Token, Tokenizer};
use crate::scope::Identity;

/// A function that captures nothing is known by its type; one that captures something is like no other.
///
/// # Examples
/// ```
/// use musher_graph_core::{FnIdentity, Key, Tokenizer};
/// fn key<F: Fn(f64) -> f64 + 'static>(_f: F) -> Key {
///     let mut tokenizer = Tokenizer::new();
///     FnIdentity::of::<F>().enter::<F>("doc.map/1", &mut tokenizer);
///     tokenizer.finish()
/// }
/// let half = |x| x / 2.0;
/// assert_eq!(key(half), key(half), "equal work is known again");
/// let n = 3.0;
/// let by_n = move |x| x / n;
/// assert_ne!(key(by_n), key(by_n), "nobody sees what a closure captures");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FnIdentity(Option<Identity>);

impl FnIdentity {
    /// The identity of a function, made once where the function enters a graph.
    pub fn of<F: 'static>() -> Self {
        Self((size_of::<F>() != 0).then(Identity::fresh))
    }

    /// An identity like no other, whatever the function is.
    pub fn fresh() -> Self {
        Self(Some(Identity::fresh()))
    }

    /// Enters the function, under the name of the operation that calls it.
    pub fn enter<F: 'static>(&self, operation: &str, tokenizer: &mut Tokenizer) {
        tokenizer.name(operation);
        match self.0 {
            Some(identity) => identity.token(tokenizer),
            None => tokenizer.type_of::<F>(),
        }
    }
}

/// The name of a function, without the path to it; `None` for a closure or a pointer to a function.
///
/// # Examples
/// ```
/// use musher_graph_core::function_name;
/// fn name<F: Fn(f64) -> f64>(_f: F) -> Option<&'static str> { function_name::<F>() }
/// assert_eq!(name(f64::sqrt), Some("sqrt"));
/// assert_eq!(name(|x| x + 1.0), None);
/// assert_eq!(name(<f64 as std::ops::Neg>::neg), Some("neg"));
/// ```
pub fn function_name<F>() -> Option<&'static str> {
    let path: &'static str = type_name::<F>();
    // `path::name`, `path::name<Of>`, `<Type as Trait>::name`, `path::name<Of>::{{closure}}`.
    let (mut depth, mut start, mut end) = (0_usize, 0, path.len());
    for (at, character) in path.char_indices() {
        match character {
            '<' => {
                if depth == 0 {
                    end = at;
                }
                depth += 1;
            }
            '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => (start, end) = (at + 1, path.len()),
            _ => {}
        }
    }
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    Some(&path[start..end]).filter(is_name)
}
