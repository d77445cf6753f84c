//! A test in a process of its own that is killed: what is left behind by a run that could not clean up.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The folder that the process is given; not a setting of ours, so it begins otherwise.
const FOLDER: &str = "TEST_DOOMED_FOLDER";
/// What it says when it stands still.
const STILL: &str = "stands still until it is killed";

/// The test binary again, to run the test of this path in it and nothing else; what it prints is not captured.
///
/// # Panics
/// If the system does not tell which program runs.
pub fn again(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("a test is a program"));
    command.args(["--exact", test, "--nocapture"]);
    command
}

/// A test of this binary that runs as a process of its own until it is killed, at the latest when this is dropped.
///
/// # Examples
/// ```no_run
/// use musher_testkit::Doomed;
/// // #[test] fn child() {
/// if let Some(folder) = Doomed::folder() {
///     std::fs::write(folder.join("half"), "of a fi").unwrap();
///     Doomed::stand_still();
/// }
/// // #[test] fn parent() {
/// let folder = std::env::temp_dir();
/// let child = Doomed::start("module::child", &folder);
/// // It stands still now, and what it holds is held.
/// child.kill();
/// assert!(folder.join("half").exists());
/// ```
#[derive(Debug)]
pub struct Doomed(Child);

impl Doomed {
    /// Starts a process that runs a test of this binary, gives it a folder, and waits until it stands still.
    ///
    /// # Panics
    /// If no process can be started, or it ends before.
    pub fn start(test: &str, folder: &Path) -> Self {
        let mut command = again(test);
        command.env(FOLDER, folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut doomed = Self(command.spawn().expect("a process can be started"));
        let said = BufReader::new(doomed.0.stdout.take().expect("its output is a pipe")).lines();
        assert!(said.map_while(Result::ok).any(|line| line == STILL), "{test} ends before it stands still");
        doomed
    }

    /// In the process: its folder. Elsewhere: nothing.
    pub fn folder() -> Option<PathBuf> {
        env::var_os(FOLDER).map(PathBuf::from)
    }

    /// In the process: says that it stands still, and does so; it goes on only if the test that started it is gone.
    ///
    /// # Panics
    /// If the pipe to that test is broken.
    pub fn stand_still() {
        let mut out = io::stdout().lock();
        writeln!(out, "\n{STILL}")
            .and_then(|()| out.flush())
            .expect("the test that started this one listens");
        // Its end comes when nobody holds the other end of the pipe.
        io::stdin().lock().read_to_end(&mut Vec::new()).expect("the pipe can be read");
    }

    /// Kills the process, which has no say in it, and waits until it is gone.
    pub fn kill(self) {}
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
