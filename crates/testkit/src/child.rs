//! A test in a process of its own: the test binary is started again and runs one test, which finds its orders in the
//! environment and leaves its answer in a file.

use std::env;
use std::fs;
use std::path::PathBuf;

use crate::again;

/// What the child is to do, and where its answer goes; not a setting of ours, so it begins otherwise.
const ORDERS: &str = "TEST_CHILD_ORDERS";
const ANSWER: &str = "TEST_CHILD_ANSWER";

/// A test of this binary that runs as a process of its own.
///
/// The test calls [`answer`](Child::answer), which does nothing unless it is the child.
///
/// # Examples
/// ```no_run
/// use musher_testkit::Child;
/// const CHILD: Child = Child::new("limits::child");
/// // #[test] fn child() {
/// CHILD.answer(|orders| orders.to_uppercase());
/// // #[test] fn parent() {
/// assert_eq!(CHILD.ask("quiet"), Ok("QUIET".to_owned()));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Child {
    test: &'static str,
}

impl Child {
    /// The test with this path inside the binary.
    pub const fn new(test: &'static str) -> Self {
        Self { test }
    }

    /// In the child process: does the work and leaves its answer. Elsewhere: nothing.
    ///
    /// # Panics
    /// If the answer cannot be written.
    pub fn answer(&self, work: impl FnOnce(&str) -> String) {
        if let (Ok(orders), Some(path)) = (env::var(ORDERS), env::var_os(ANSWER)) {
            let answer = work(&orders);
            fs::write(PathBuf::from(path), answer).expect("the parent has made a folder for the answer");
        }
    }

    /// Starts the child, waits for its end, and gives its answer.
    ///
    /// # Errors
    /// How the child ended and the last lines that it said, if it left no answer.
    ///
    /// # Panics
    /// If no process can be started.
    pub fn ask(&self, orders: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("answer");
        let output = again(self.test).env(ORDERS, orders).env(ANSWER, &path).output();
        let output = output.expect("a process can be started");
        fs::read_to_string(&path).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            let end = said.lines().rev().take(30).collect::<Vec<_>>();
            let end = end.into_iter().rev().collect::<Vec<_>>().join("\n");
            format!("{}: {end}", output.status)
        })
    }
}
