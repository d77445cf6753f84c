//! How files leave the process: parts are written beside the target, and one commit gives them their names.
//!
//! Three tasks, wherever each of them runs; what goes from one to the next is plain data:
//!
//! ```text
//! open ──── Stage ────┬──────────────────────────┐
//!                     ▼                          ▼
//! data ─────────► write a part ── Receipt ──► commit ──► what was written
//! ```
//!
//! | step | on the disk, beside the target `x` | the next run that opens a sink there, if this one was killed |
//! |---|---|---|
//! | [`open`] | `.x.musher-<run>-<random>/` with `lock`, which the process keeps locked; `parts/`, and `data` for one file | removes it |
//! | [`Stage::write_part`] | a file without a name, then under its name in `parts/` | removes it |
//! | [`Stage::write_range`] | bytes of `data`, at their place | removes it |
//! | [`Stage::commit`], of a folder | `parts/` and `x` exchanged by one step | removes the old `x`, which is in the stage |
//! | … where the file system cannot exchange, as NFS | `journal`, then `x` → `old/`, then `parts/` → `x`: between these two there is nothing at `x` | does the rest of it |
//! | … of files in a folder that is there | `journal`, then each file gets its name | does the rest of it |
//! | … of one file | `data` → `x` | removes the stage |
//! | after it | nothing but the target | |
//!
//! So a reader sees the old or the new; of several files in one folder a run that was killed in its commit may have named
//! only some, until the next run that opens a sink there names the others.
//!
//! * Parts and commit may be done twice, at once or one after the other, in one process or several: parts are made under
//!   names of their own, and commits go one after the other and look for a proof that it is done. The proof is the number of
//!   the folder or file that got the name; for files with names in a folder, their lengths and checksums.
//! * The stage's name has the run's number in it, so a second run of the same work writes again.
//! * Everything is made durable once, at the commit: parts before the first of them is seen, and then the names.
//! * Files and folders have the permissions that the process gives to new ones.
//! * A run that fails or is cancelled leaves nothing: its end calls [`abandon`].
//! * A stage belongs to one user and is closed to all others, so that nobody can plant a journal. Where a file system knows
//!   neither owners nor locks, what killed runs leave stays.
//!
//! [`layers`] is all of this for a [`Format`], which says how one part becomes bytes.

mod commit;
mod disk;
mod error;
mod held;
mod journal;
mod part;
mod receipt;
mod stage;
mod target;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;

use musher_graph_core::{
    Facts, FnTask, Grid, Inputs, Layer, Place, Port, Record, RunNumber, Site, TaskError, Touch, Value, Wiring,
};

pub use error::SinkError;
pub use held::abandon;
pub use part::PartFile;
pub use receipt::Receipt;
pub use stage::{Stage, open};
pub use target::{Standing, Target, refuse_foreign, stands_at};

use crate::sync::Arc;

/// Bytes of memory that a stage takes, with its paths.
const STAGE_BYTES: u64 = 1 << 10;

/// What differs from one kind of file to the next; the rest is done by [`layers`].
pub trait Format: Send + Sync + 'static {
    /// What the commit gives back.
    type Written: Send + Sync + 'static;

    /// What the three tasks are called: that which opens, those which write, and that which commits.
    fn labels(&self) -> [&'static str; 3];

    /// What is to be written, asked when the work begins.
    ///
    /// # Errors
    /// What keeps it from being written; also what stands there and may not be replaced, see [`refuse_foreign`].
    fn target(&self) -> Result<Target, TaskError>;

    /// Writes one part; its data is the only input.
    ///
    /// # Errors
    /// Whatever keeps it from being written.
    fn write(&self, at: Place<'_>, inputs: &mut Inputs<'_>, stage: &Stage) -> Result<Receipt, TaskError>;

    /// Gives the parts, in the order of the grid, their names: [`Stage::commit`] or [`Stage::assemble`].
    ///
    /// # Errors
    /// Theirs.
    fn commit(&self, stage: &Stage, receipts: &[Receipt]) -> Result<Self::Written, TaskError>;

    /// What is known of a task that writes a part of so many bytes in memory: its output is of [`Receipt::BYTES`].
    fn facts(&self, bytes: u64) -> Facts;

    /// What a task that writes a part makes: names as they will be.
    fn touches(&self, at: Place<'_>) -> Vec<Touch>;

    /// What the commit replaces beside that.
    fn replaces(&self) -> Vec<Touch> {
        Vec::new()
    }
}

/// The graph of a sink: what opens the stage, a task for each chunk of `data`, and the commit, whose only chunk is a
/// [`Value`] of what was written.
pub fn layers<F: Format>(format: F, data: &Port, caller: Site) -> Port {
    let format = Arc::new(format);
    let [open_label, write_label, commit_label] = format.labels();
    let opening = Arc::clone(&format);
    let open = FnTask::new(open_label, move |_: Place<'_>, _: &mut Inputs<'_>| {
        Ok(Record(open(&opening.target()?, run_number())?))
    })
    .facts(|_, _| Facts::bytes(STAGE_BYTES));
    let stage = Port::of(Layer::build(open).caller(caller).finish(Grid::scalar()));

    let (writing, known, touched) = (Arc::clone(&format), Arc::clone(&format), Arc::clone(&format));
    let write = FnTask::new(write_label, move |at: Place<'_>, inputs: &mut Inputs<'_>| {
        let stage = inputs.take::<Record<Stage>>(1)?;
        writing.write(at, inputs, &stage.0).map(Record)
    })
    // A part of unknown size is written, too.
    .facts(move |_, inputs| known.facts(inputs.first().copied().flatten().unwrap_or(0).max(1)))
    .touches(move |at| touched.touches(at));
    let wiring = Wiring::one_to_one(data.grid().ndim());
    let write = Layer::build(write).caller(caller).input(data, wiring).input(&stage, Wiring::axes([]));
    let parts = Port::of(write.finish(data.grid().clone()));

    let replaced = Arc::clone(&format);
    let commit = FnTask::new(commit_label, move |_: Place<'_>, inputs: &mut Inputs<'_>| {
        let receipts = inputs.slot::<Record<Receipt>>(1)?;
        let receipts: Vec<Receipt> = receipts.iter().map(|receipt| receipt.0.clone()).collect();
        let stage = inputs.get::<Record<Stage>>(0)?;
        Ok(Value(format.commit(&stage.0, &receipts)?))
    })
    .touches(move |_| replaced.replaces());
    let commit =
        Layer::build(commit).caller(caller).input(&stage, Wiring::axes([])).input(&parts, Wiring::All);
    Port::of(commit.finish(Grid::scalar()))
}

/// Writes one file in this process: `write` fills it, and then it gets its name.
///
/// # Errors
/// Those of `write`, of [`open`], and of [`Stage::commit`]; the old file then stays.
///
/// # Examples
/// ```
/// use std::io::Write;
/// use musher_scheduler::sink::{SinkError, write_file};
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("answer.txt");
/// let bytes = write_file(&path, |mut file| {
///     file.write_all(b"42").map_err(|source| SinkError::Io { path: path.clone(), action: "write", source })
/// })?;
/// assert_eq!((bytes, std::fs::read(&path)?), (2, b"42".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_file<E: From<SinkError>>(
    path: &Path,
    write: impl FnOnce(&File) -> Result<(), E>,
) -> Result<u64, E> {
    /// What is left of it goes however this ends.
    struct Ends(Stage);
    impl Drop for Ends {
        fn drop(&mut self) {
            held::give_up(self.0.run, &self.0.folder);
        }
    }
    Ends(stage::open_file(&Target::file(path), run_number())?).0.assemble(&[], write)
}

/// The number of the run that this thread works for, or one that no run has.
fn run_number() -> u128 {
    RunNumber::here().or_else(RunNumber::fresh).map_or(0, RunNumber::to_bits)
}
