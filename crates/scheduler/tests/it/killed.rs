//! A process that is killed while it spills: the next run under the same folder works, and leaves nothing of either.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use musher_graph_core::{ChunkRef, Collection, Port, TaskError};
use musher_scheduler::{Compute, Event, Observer, Options};
use musher_testkit::{Alive, Counted};

use crate::spill::two_passes;

/// The value of the last task of [`two_passes`].
#[derive(Clone)]
pub(crate) struct Last(Port);

impl Last {
    pub(crate) fn new() -> Self {
        let layers = two_passes().layers(&Alive::default());
        Self(Port::of(layers.last().unwrap().clone()))
    }

    /// Computes it in a third of the memory it needs; what does not fit goes to this folder.
    fn spilling_to(self, base: &Path, options: Options) -> u64 {
        self.compute_with(&options.memory_limit("1.25MiB").spill_dir(base)).unwrap()
    }
}

impl Collection for Last {
    type Output = u64;

    fn port(&self) -> &Port {
        &self.0
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<u64, TaskError> {
        Ok(chunks[0].downcast_ref::<Counted>().unwrap().value)
    }

    fn with_port(&self, port: Port) -> Self {
        Self(port)
    }
}

/// Says it when a chunk has gone to the disk, and stands still.
struct StandsStill;

impl Observer for StandsStill {
    fn event(&self, event: Event<'_>) {
        if let Event::ChunkSpilled { .. } = event {
            let mut out = std::io::stdout().lock();
            writeln!(out, "\nspilled").unwrap();
            out.flush().unwrap();
            // The end of the input never comes: the process is killed before.
            std::io::stdin().lock().read_to_end(&mut Vec::new()).unwrap();
        }
    }
}

/// In the child process: the folder to spill to until it is killed.
const CHILD: &str = "TEST_KILLED_FOLDER";

/// Does nothing unless it is the child process of the next test.
#[test]
fn child_that_is_killed() {
    if let Some(base) = std::env::var_os(CHILD) {
        Last::new()
            .spilling_to(Path::new(&base), Options::default().threads(2).observe(Arc::new(StandsStill)));
    }
}

#[test]
fn the_run_after_a_killed_one_works_and_removes_what_it_left() {
    let base = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_that_is_killed", "--nocapture"])
        .env(CHILD, base.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let has_spilled = lines.any(|line| line.unwrap() == "spilled");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(has_spilled, "the child spills");
    let folders = || std::fs::read_dir(base.path()).unwrap().count();
    assert_eq!(folders(), 1, "it leaves its folder");
    let drawn = two_passes();
    let expected = drawn.values()[drawn.reads.len() - 1];
    assert_eq!(Last::new().spilling_to(base.path(), Options::default().threads(2)), expected);
    assert_eq!(folders(), 0, "nothing is left of either");
}
