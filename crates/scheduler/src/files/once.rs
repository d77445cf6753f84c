//! What a graph is built from and is not in the program: looked at once, and told to whoever builds the same graph elsewhere.
//!
//! A file's length, the header of an array, the types that a sample of a table shows: such facts decide on the graph, and
//! may be others a second later, or on another machine. So each of them is asked for by [`once`], as plain data. What was
//! answered can be written down ([`Facts::record`]), and the same program builds the same graph from it where the files are
//! others, or not there ([`Facts::replay`]).

use std::cell::RefCell;
use std::error::Error as StdError;
use std::path::Path;
use std::vec;

use musher_graph_core::Key;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::FilesError;
use crate::error::Cause;

/// Asks the world something about a file or a pattern, unless the answer is known already.
///
/// Outside of [`Facts::record`] and [`Facts::replay`] it merely looks. What `look` asks by itself is part of its answer.
///
/// # Errors
/// Those of `look`. What was an error is one again when it is replayed, with the same words: [`FilesError::Told`]. Where
/// something else is asked than when it was recorded: [`FilesError::Diverged`].
///
/// # Examples
/// ```
/// use musher_scheduler::files::{Facts, FilesError, once};
/// let rows = |answer: u64| once::<u64, FilesError>("rows", "table.csv", || Ok(answer));
/// let (first, facts) = Facts::record(|| rows(7));
/// assert_eq!(first?, 7);
/// assert_eq!(facts.replay(|| rows(8))?, 7, "as it was");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn once<T, E>(
    question: &'static str,
    about: impl AsRef<Path>,
    look: impl FnOnce() -> Result<T, E>,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    E: StdError + From<FilesError> + 'static,
{
    let Some(log) = LOG.take() else { return look() };
    // Until the log is back, what is asked is part of this answer.
    let mut back = Back(Some(log));
    let path = about.as_ref();
    let asked = Key::of(&(question, path)).to_bits();
    match &mut back.0 {
        Some(Log::Replaying(facts)) => {
            let diverged = || FilesError::Diverged { question: question.into(), path: path.to_path_buf() };
            let fact = facts.next().filter(|fact| fact.asked == asked).ok_or_else(diverged)?;
            let answer = fact.answer.map_err(FilesError::Told)?;
            postcard::from_bytes(&answer).map_err(|_| diverged().into())
        }
        Some(Log::Recording(facts)) => {
            let found = look();
            let answer = match &found {
                Ok(value) => postcard::to_stdvec(value).map_err(|error| Cause::of(&error)),
                Err(error) => Err(Cause::of(error)),
            };
            facts.push(Fact { asked, answer });
            found
        }
        None => look(),
    }
}

/// The answers to all that was asked while a graph was built, in order, as plain data.
///
/// # Examples
/// ```
/// use musher_scheduler::files::{Facts, find};
/// # let folder = tempfile::tempdir()?;
/// let pattern = folder.path().join("part-*.csv");
/// std::fs::write(folder.path().join("part-1.csv"), "x\n1\n")?;
/// let (found, facts) = Facts::record(|| find(&pattern, &[]));
/// let stored = serde_json::to_string(&facts)?;
/// std::fs::remove_file(folder.path().join("part-1.csv"))?;
///
/// let facts: Facts = serde_json::from_str(&stored)?;
/// assert_eq!(facts.replay(|| find(&pattern, &[]))?, found?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts(Vec<Fact>);

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fact {
    /// The digest of what was asked.
    asked: u128,
    answer: Result<Vec<u8>, Cause>,
}

enum Log {
    Recording(Vec<Fact>),
    Replaying(vec::IntoIter<Fact>),
}

thread_local! {
    /// Where the answers on this thread go to, or come from.
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// Puts a log back when it is dropped, also by a panic.
struct Back(Option<Log>);

impl Drop for Back {
    fn drop(&mut self) {
        LOG.set(self.0.take());
    }
}

impl Facts {
    /// Does work on this thread, and writes down what it learns of the world.
    pub fn record<R>(work: impl FnOnce() -> R) -> (R, Self) {
        let outer = Back(LOG.replace(Some(Log::Recording(Vec::new()))));
        let result = work();
        let facts = match LOG.take() {
            Some(Log::Recording(facts)) => facts,
            _ => Vec::new(),
        };
        drop(outer);
        (result, Self(facts))
    }

    /// Does the same work on this thread, and tells it what was learned then.
    pub fn replay<R>(self, work: impl FnOnce() -> R) -> R {
        let _outer = Back(LOG.replace(Some(Log::Replaying(self.0.into_iter()))));
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &'static str, answer: Result<u64, &str>) -> Result<u64, FilesError> {
        let failed = |text: &str| FilesError::Pattern { pattern: question.into(), source: text.into() };
        once(question, "x", || answer.map_err(failed))
    }

    #[test]
    fn answers_come_back_in_order_errors_too() {
        let (_, facts) = Facts::record(|| (asked("a", Ok(1)), asked("b", Err("no")), asked("a", Ok(3))));
        let told = facts.clone().replay(|| [asked("a", Ok(0)), asked("b", Ok(0)), asked("a", Ok(0))]);
        let [Ok(1), Err(error), Ok(3)] = &told else { panic!("{told:?}") };
        let real = asked("b", Err("no")).unwrap_err();
        assert_eq!(format!("{error:?}"), format!("{real:?}"));
        assert_eq!(asked("a", Ok(9)).unwrap(), 9, "outside it merely looks");
    }

    #[test]
    fn another_question_or_one_more_is_an_error() {
        let (_, facts) = Facts::record(|| asked("a", Ok(1)));
        let other = facts.clone().replay(|| asked("b", Ok(1)));
        assert!(matches!(other, Err(FilesError::Diverged { .. })), "{other:?}");
        let more = facts.replay(|| (asked("a", Ok(1)), asked("a", Ok(1))));
        assert!(matches!(more, (Ok(1), Err(FilesError::Diverged { .. }))), "{more:?}");
    }

    #[test]
    fn questions_inside_a_question_are_part_of_it() {
        let outer = || once("outer", "x", || Ok::<_, FilesError>(asked("inner", Ok(2))? + 1));
        let (found, facts) = Facts::record(|| (outer(), asked("next", Ok(5))));
        assert_eq!((found.0.unwrap(), facts.0.len()), (3, 2));
        let told = facts.replay(|| (outer(), asked("next", Ok(0))));
        assert_eq!((told.0.unwrap(), told.1.unwrap()), (3, 5));
    }

    #[test]
    fn recordings_nest_and_end_also_by_a_panic() {
        let (_, facts) = Facts::record(|| {
            let _ = asked("a", Ok(1));
            let (_, inner) = Facts::record(|| asked("b", Ok(2)));
            assert_eq!(inner.0.len(), 1);
            let fails = std::panic::catch_unwind(|| {
                once("c", "x", || -> Result<u64, FilesError> { panic!("on purpose") }).map_err(drop)
            });
            assert!(fails.is_err());
            let _ = asked("d", Ok(4));
        });
        assert_eq!(facts.0.len(), 2);
    }
}
