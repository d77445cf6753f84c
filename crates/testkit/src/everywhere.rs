//! The same answer on every scheduler and for every number of threads.

use std::fmt::Debug;

use musher_graph_core::Collection;
use musher_scheduler::{Compute, Options};

/// The numbers of threads on which an answer must have the same bits.
pub const THREADS: [usize; 4] = [1, 2, 3, 8];

/// All the ways in which a plan is run, each with its name: in sequence, and on [`THREADS`] threads.
///
/// # Examples
/// ```
/// let names: Vec<_> = musher_testkit::everywhere().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["in sequence", "on 1 threads", "on 2 threads", "on 3 threads", "on 8 threads"]);
/// ```
pub fn everywhere() -> Vec<(String, Options)> {
    let threaded = THREADS.map(|n| (format!("on {n} threads"), Options::default().threads(n)));
    [("in sequence".to_owned(), Options::sequential())].into_iter().chain(threaded).collect()
}

/// Computes a collection everywhere and gives back the answer, which is the same everywhere.
///
/// # Panics
/// If a computation fails or two answers differ.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// fn add(a: i64, b: i64) -> i64 { a + b }
/// let five = delayed(add).call((2, 3));
/// assert_eq!(musher_testkit::check_everywhere(&five), 5);
/// ```
#[track_caller]
pub fn check_everywhere<C>(collection: &C) -> C::Output
where
    C: Collection,
    C::Output: PartialEq + Debug,
{
    check_everywhere_by(collection, |a, b| a == b)
}

/// [`check_everywhere`] with another meaning of *the same*: where NaN occurs, compare bits.
///
/// # Panics
/// If a computation fails or two answers differ.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// let nan = delayed(|| f64::NAN).call(());
/// let same = |a: &f64, b: &f64| a.to_bits() == b.to_bits();
/// assert!(musher_testkit::check_everywhere_by(&nan, same).is_nan());
/// ```
#[track_caller]
pub fn check_everywhere_by<C>(collection: &C, same: impl Fn(&C::Output, &C::Output) -> bool) -> C::Output
where
    C: Collection,
    C::Output: Debug,
{
    let mut first: Option<C::Output> = None;
    for (name, options) in everywhere() {
        let answer = match collection.compute_with(&options) {
            Ok(answer) => answer,
            Err(error) => panic!("{name}: {error} ({error:?})"),
        };
        match &first {
            None => first = Some(answer),
            Some(first) => {
                assert!(same(first, &answer), "{name} the answer is {answer:?}, in sequence {first:?}");
            }
        }
    }
    first.expect("there is at least one scheduler")
}
