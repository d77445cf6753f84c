//! The same answer on every scheduler, for every number of threads, and for the graph as it was written.

use std::fmt::Debug;

use musher_graph_core::{Collection, Graph, Plan};
use musher_scheduler::{Compute, Error, Options, Run, Scheduler, Sequential};

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

/// Computes a collection everywhere and gives back the answer, which is the same everywhere, and the same as that of the
/// graph as it was written: no layer absorbs another one there.
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
    let computed = everywhere().into_iter().map(|(name, options)| (name, collection.compute_with(&options)));
    let as_written = std::iter::once(("as it was written".to_owned(), as_written(collection)));
    let mut first: Option<C::Output> = None;
    for (name, answer) in computed.chain(as_written) {
        let answer = match answer {
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

/// Computes a collection in sequence, without any pass over its graph.
fn as_written<C: Collection>(collection: &C) -> Result<C::Output, Error> {
    let plan = Plan::new(Graph::collect(&[collection.request()])?)?;
    let chunks = Sequential.run(&Run::new(plan))?;
    collection.gather(chunks).map_err(|error| Error::Gather { source: error.into_cause() })
}
