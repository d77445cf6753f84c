//! What is known to go wrong before anything runs: a plan looked at under the conditions of a run.

use std::path::{Path, PathBuf};

use musher_graph_core::{CheckLimits, Files, FreeSpace, LocalFiles, Policy, Problem};

use crate::run::Run;

/// The files of this machine, with what is free where they are.
#[derive(Debug)]
struct Disks;

impl Files for Disks {
    fn exists(&self, path: &Path) -> bool {
        LocalFiles.exists(path)
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        LocalFiles.resolve(path)
    }

    fn free_space(&self, path: &Path) -> Option<FreeSpace> {
        let existing = path.ancestors().find(|folder| folder.exists())?;
        let bytes = crate::disk::free(existing)?;
        Some(FreeSpace { device: device(existing)?, bytes })
    }
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(path).ok()?).into()
}

#[cfg(not(unix))]
fn device(_path: &Path) -> Option<u64> {
    None
}

/// Everything that is known to go wrong in this run: files, disk, and memory.
pub(crate) fn everything(run: &Run) -> Vec<Problem> {
    let mut limits = CheckLimits::new(&Disks);
    if let Some(limit) = run.memory_limit {
        limits = limits.memory(limit.bytes());
    }
    if run.spill_store.is_none() {
        limits = limits.spill_disk(0);
    }
    run.plan.check(&limits)
}

/// What is wrong with a folder to spill to, if this run will spill.
pub(crate) fn spill_dir(run: &Run, dir: &Path) -> Option<Problem> {
    if !crate::disk::lies_in_memory(dir) {
        return None;
    }
    let forecast = run.plan.forecast(run.memory_limit?.bytes(), Policy::Furthest);
    let need = forecast.spilled_bytes.saturating_add(forecast.staged_bytes);
    (need > 0).then(|| Problem::SpillInMemory { need, dir: dir.to_owned() })
}

/// What is known to go wrong with files, where any are read or written. Memory is the engine's to refuse.
pub(crate) fn files(run: &Run) -> Vec<Problem> {
    match run.plan.tasks().touches_any_file() {
        true => run.plan.check(&CheckLimits::new(&Disks)),
        false => Vec::new(),
    }
}
