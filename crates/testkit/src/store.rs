//! A disk that fails by a script: which write or read fails, and how, is written down, never left to chance.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use musher_graph_core::{Kept, SpillStore, SpillWriter, Spilled, TaskError};
use musher_scheduler::SpillError;

/// What happens to a write instead of, or before, its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// The device fails: `EIO`.
    Device,
    /// The disk is full: `ENOSPC`.
    Full,
    /// The write lets other threads go first.
    Yield,
}

/// What happens to a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// The device fails: `EIO`.
    Device,
    /// A bit of what is read is wrong, and the end of the part says so as a checksum does.
    Flip,
    /// The read lets other threads go first.
    Yield,
}

/// A store that does what another one does, except where its script says otherwise.
///
/// Writes and reads are counted apart, from 0, over all threads: a write is a call of `parcel`, `write`, `end_part` or
/// `finish`, a read is a call of `Spilled::read` or of the reader that it gives. A write that fails has done nothing.
///
/// # Examples
/// ```
/// use musher_graph_core::SpillStore;
/// use musher_scheduler::{SpillDir, SpillOptions};
/// use musher_testkit::{FaultyStore, WriteFault};
///
/// let store = FaultyStore::new(SpillDir::new(SpillOptions::default())).on_write(2, WriteFault::Full);
/// let mut writer = store.parcel()?;
/// writer.write_all(b"fits")?;
/// assert!(writer.end_part().is_err_and(|error| error.to_string().contains("disk full")));
/// assert_eq!(store.writes(), 3);
/// # Ok::<(), musher_graph_core::TaskError>(())
/// ```
#[derive(Debug)]
pub struct FaultyStore<S> {
    store: S,
    script: Arc<Script>,
}

impl<S> FaultyStore<S> {
    /// A store without surprises.
    pub fn new(store: S) -> Self {
        Self { store, script: Arc::default() }
    }

    /// The same, and the write of this number goes wrong.
    ///
    /// # Panics
    /// If the store has been used.
    #[must_use]
    pub fn on_write(mut self, number: usize, fault: WriteFault) -> Self {
        self.script_mut().write_faults.push((number, fault));
        self
    }

    /// The same, and the read of this number goes wrong.
    ///
    /// # Panics
    /// If the store has been used.
    #[must_use]
    pub fn on_read(mut self, number: usize, fault: ReadFault) -> Self {
        self.script_mut().read_faults.push((number, fault));
        self
    }

    fn script_mut(&mut self) -> &mut Script {
        Arc::get_mut(&mut self.script).expect("the script is written before the store is used")
    }

    /// The store inside.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// How many writes there have been.
    pub fn writes(&self) -> usize {
        self.script.writes.load(Ordering::SeqCst)
    }

    /// How many reads there have been.
    pub fn reads(&self) -> usize {
        self.script.reads.load(Ordering::SeqCst)
    }
}

impl<S: SpillStore> SpillStore for FaultyStore<S> {
    fn keep(&self, bytes: u64, together: u64) -> Option<Kept> {
        self.store.keep(bytes, together)
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        self.script.write("making", 0)?;
        Ok(Box::new(FaultyWriter { writer: self.store.parcel()?, script: Arc::clone(&self.script) }))
    }
}

#[derive(Debug, Default)]
struct Script {
    writes: AtomicUsize,
    reads: AtomicUsize,
    write_faults: Vec<(usize, WriteFault)>,
    read_faults: Vec<(usize, ReadFault)>,
}

/// What the errors name: no such file is ever made.
fn path() -> PathBuf {
    PathBuf::from("/scripted-disk")
}

fn device(action: &'static str) -> SpillError {
    const EIO: i32 = 5;
    SpillError::Io { action, path: path(), source: io::Error::from_raw_os_error(EIO) }
}

impl Script {
    fn write(&self, action: &'static str, need: u64) -> Result<(), SpillError> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        for (_, fault) in self.write_faults.iter().filter(|(at, _)| *at == number) {
            match fault {
                WriteFault::Device => return Err(device(action)),
                WriteFault::Full => {
                    let source = io::ErrorKind::StorageFull.into();
                    return Err(SpillError::Full {
                        dir: path(),
                        need,
                        stored: 0,
                        limit: 0,
                        free: Some(0),
                        source,
                    });
                }
                WriteFault::Yield => std::thread::yield_now(),
            }
        }
        Ok(())
    }

    /// Whether a bit is to be wrong.
    fn read(&self) -> Result<bool, SpillError> {
        let number = self.reads.fetch_add(1, Ordering::SeqCst);
        let mut flip = false;
        for (_, fault) in self.read_faults.iter().filter(|(at, _)| *at == number) {
            match fault {
                ReadFault::Device => return Err(device("reading")),
                ReadFault::Flip => flip = true,
                ReadFault::Yield => std::thread::yield_now(),
            }
        }
        Ok(flip)
    }
}

struct FaultyWriter {
    writer: Box<dyn SpillWriter>,
    script: Arc<Script>,
}

impl Write for FaultyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.script.write("writing", bytes.len() as u64)?;
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl SpillWriter for FaultyWriter {
    fn end_part(&mut self) -> Result<(), TaskError> {
        self.script.write("writing", 0)?;
        self.writer.end_part()
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Spilled>, TaskError> {
        self.script.write("writing", 0)?;
        Ok(Arc::new(FaultyParcel { parcel: self.writer.finish()?, script: self.script }))
    }
}

#[derive(Debug)]
struct FaultyParcel {
    parcel: Arc<dyn Spilled>,
    script: Arc<Script>,
}

impl Spilled for FaultyParcel {
    fn n_parts(&self) -> usize {
        self.parcel.n_parts()
    }

    fn part_bytes(&self, part: usize) -> u64 {
        self.parcel.part_bytes(part)
    }

    fn stored_bytes(&self) -> u64 {
        self.parcel.stored_bytes()
    }

    fn read(&self, part: usize) -> Result<Box<dyn Read + '_>, TaskError> {
        let flipped = self.script.read()?;
        let reader = self.parcel.read(part)?;
        let bytes = self.parcel.part_bytes(part);
        Ok(Box::new(FaultyReader { reader, script: &self.script, part, bytes, left: bytes, flipped }))
    }
}

struct FaultyReader<'a> {
    reader: Box<dyn Read + 'a>,
    script: &'a Script,
    part: usize,
    bytes: u64,
    left: u64,
    flipped: bool,
}

impl Read for FaultyReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let flip = self.script.read()?;
        let n = self.reader.read(to)?;
        self.left -= n as u64;
        if flip {
            to[..n].iter_mut().take(1).for_each(|byte| *byte ^= 1);
            self.flipped = true;
        }
        if self.flipped && self.left == 0 {
            let (expected, found) = (0, 1);
            let bytes = self.bytes;
            return Err(SpillError::Corrupt { file: path(), part: self.part, bytes, expected, found }.into());
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_scheduler::{SpillDir, SpillOptions};

    fn store() -> FaultyStore<SpillDir> {
        FaultyStore::new(SpillDir::new(SpillOptions::default()))
    }

    /// Spills two parts and reads them back.
    fn round_trip(store: &dyn SpillStore) -> Result<Vec<Vec<u8>>, TaskError> {
        let mut writer = store.parcel()?;
        for part in [b"first", b"later"] {
            writer.write_all(part)?;
            writer.end_part()?;
        }
        let parcel = writer.finish()?;
        let read = |part| {
            let mut bytes = Vec::new();
            parcel.read(part)?.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        (0..parcel.n_parts()).map(read).collect()
    }

    #[test]
    fn every_operation_can_fail_and_leaves_nothing() {
        let plain = store();
        assert_eq!(round_trip(&plain).unwrap(), [b"first", b"later"]);
        assert_eq!(plain.writes(), 6);
        for number in 0..plain.writes() {
            for fault in [WriteFault::Device, WriteFault::Full] {
                let store = store().on_write(number, fault);
                assert!(round_trip(&store).is_err(), "write {number}: {fault:?}");
                assert_eq!((store.store().counts().stored, store.store().counts().parcels), (0, 0));
            }
            assert!(round_trip(&store().on_write(number, WriteFault::Yield)).is_ok());
        }
        for number in 0..plain.reads() {
            for fault in [ReadFault::Device, ReadFault::Flip] {
                let store = store().on_read(number, fault);
                assert!(round_trip(&store).is_err(), "read {number}: {fault:?}");
                assert_eq!(store.store().counts().parcels, 0);
            }
            assert!(round_trip(&store().on_read(number, ReadFault::Yield)).is_ok());
        }
    }

    #[test]
    fn a_flipped_bit_is_seen_before_the_end_tells() {
        let store = store().on_read(1, ReadFault::Flip);
        let mut writer = store.parcel().unwrap();
        writer.write_all(b"abc").unwrap();
        writer.end_part().unwrap();
        let parcel = writer.finish().unwrap();
        let mut reader = parcel.read(0).unwrap();
        let mut bytes = [0; 2];
        reader.read_exact(&mut bytes).unwrap();
        assert_eq!(bytes, [b'a' ^ 1, b'b']);
        assert_eq!(reader.read(&mut bytes).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
