//! A process that is killed while it spills: the next run under the same folder works, and leaves nothing of either.

use std::path::Path;
use std::sync::Arc;

use musher_graph_core::{ChunkRef, Collection, Port, TaskError};
use musher_scheduler::{Compute, Event, Observer, Options};
use musher_testkit::{Alive, Counted, Doomed};

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

/// Stands still when a chunk has gone to the disk.
struct StandsStill;

impl Observer for StandsStill {
    fn event(&self, event: Event<'_>) {
        if let Event::ChunkSpilled { .. } = event {
            Doomed::stand_still();
        }
    }
}

/// Does nothing unless it is the child process of the next test.
#[test]
fn child_that_is_killed() {
    if let Some(base) = Doomed::folder() {
        Last::new().spilling_to(&base, Options::default().threads(2).observe(Arc::new(StandsStill)));
    }
}

#[test]
fn the_run_after_a_killed_one_works_and_removes_what_it_left() {
    let base = tempfile::tempdir().unwrap();
    Doomed::start("killed::child_that_is_killed", base.path()).kill();
    let folders = || std::fs::read_dir(base.path()).unwrap().count();
    assert_eq!(folders(), 1, "it leaves its folder");
    let drawn = two_passes();
    let expected = drawn.values()[drawn.reads.len() - 1];
    assert_eq!(Last::new().spilling_to(base.path(), Options::default().threads(2)), expected);
    assert_eq!(folders(), 0, "nothing is left of either");
}
