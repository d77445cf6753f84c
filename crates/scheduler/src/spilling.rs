//! One chunk to the disk and back, through its codec.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use musher_graph_core::{ChunkRef, Codec, SpillStore, Spilled, TaskError};

use crate::error::{Error, Spilling};
use crate::sync::Arc;

/// A chunk on the disk.
#[derive(Clone)]
pub(crate) struct SpilledCopy {
    pub(crate) parcel: Arc<dyn Spilled>,
    pub(crate) codec: &'static dyn Codec,
}

impl std::fmt::Debug for SpilledCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SpilledCopy({} bytes on disk)", self.parcel.stored_bytes())
    }
}

/// Writes a chunk as a parcel of one part.
pub(crate) fn write(store: Option<&dyn SpillStore>, chunk: &ChunkRef) -> Result<SpilledCopy, Error> {
    contained(Spilling::Writing, || {
        let (Some(store), Some(codec)) = (store, chunk.codec()) else {
            return Err(TaskError::new(Unspillable));
        };
        let mut writer = store.parcel()?;
        codec.encode(&**chunk, &mut writer)?;
        writer.end_part()?;
        Ok(SpilledCopy { parcel: writer.finish()?, codec })
    })
}

/// Reads a chunk back; its checksum has been verified when this returns.
pub(crate) fn read(copy: &SpilledCopy) -> Result<ChunkRef, Error> {
    contained(Spilling::Reading, || {
        let mut reader = copy.parcel.read(0)?;
        let chunk = copy.codec.decode(&mut reader)?;
        // The checksum is known to fit only at the end of the part.
        if reader.read(&mut [0])? > 0 {
            return Err(TaskError::new(Leftover { kind: copy.codec.kind() }));
        }
        Ok(chunk)
    })
}

/// A codec is user code: a panic in it is an error of the run.
fn contained<R>(doing: Spilling, work: impl FnOnce() -> Result<R, TaskError>) -> Result<R, Error> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| Error::Spill { doing, source: error.into_cause() }),
        Err(payload) => {
            Err(Error::Spill { doing, source: Box::new(Panicked(crate::error::text(payload.as_ref()))) })
        }
    }
}

/// The chunk has no codec, or the run no disk.
#[derive(Debug, thiserror::Error)]
#[error("the chunk cannot leave memory")]
struct Unspillable;

#[derive(Debug, thiserror::Error)]
#[error("{kind}: bytes are left over after the chunk")]
struct Leftover {
    kind: &'static str,
}

#[derive(Debug, thiserror::Error)]
#[error("the codec panicked: {0}")]
struct Panicked(String);
