//! A place outside memory for tests, and a run that uses it: what an exchange does when it does not fit.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use musher_graph_core::{
    ChunkRef, Collection, Graph, Kept, Plan, SpillStore, SpillWriter, Spilled, TaskError,
};
use tempfile::TempDir;

/// Numbers of inputs and targets around the widths of numbers, at which every user of an exchange is tested.
pub const EXCHANGE_COUNTS: [usize; 14] =
    [1, 2, 127, 128, 129, 255, 256, 257, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537];

/// A [`SpillStore`] in a temporary folder: one file a parcel, without checksums and budget.
///
/// # Examples
/// ```
/// use std::io::{Read, Write};
/// use musher_graph_core::SpillStore;
/// let staging = musher_testkit::Staging::new(100);
/// assert!(staging.keep(1, 100).is_some() && staging.keep(1, 101).is_none());
/// let mut parcel = staging.parcel().unwrap();
/// parcel.write_all(b"part 0").unwrap();
/// parcel.end_part().unwrap();
/// let parcel = parcel.finish().unwrap();
/// let mut text = String::new();
/// parcel.read(0).unwrap().read_to_string(&mut text).unwrap();
/// assert_eq!((text.as_str(), staging.n_alive()), ("part 0", 1));
/// drop(parcel);
/// assert_eq!((staging.n_alive(), staging.written_bytes()), (0, 6));
/// ```
#[derive(Debug)]
pub struct Staging {
    folder: TempDir,
    keeps: u64,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    made: AtomicUsize,
    alive: AtomicUsize,
    written: AtomicU64,
}

impl Staging {
    /// A store that lets each exchange of up to `keeps` bytes stay in memory.
    ///
    /// # Panics
    /// If there is no temporary folder.
    pub fn new(keeps: u64) -> Self {
        let folder = TempDir::with_prefix("musher-staging-").expect("a temporary folder");
        Self { folder, keeps, counts: Arc::default() }
    }

    /// Parcels that are held by somebody.
    pub fn n_alive(&self) -> usize {
        self.counts.alive.load(Ordering::SeqCst)
    }

    /// Bytes of all parcels that were finished so far.
    pub fn written_bytes(&self) -> u64 {
        self.counts.written.load(Ordering::SeqCst)
    }
}

impl SpillStore for Staging {
    fn keep(&self, _bytes: u64, together: u64) -> Option<Kept> {
        (together <= self.keeps).then(|| Kept::until_dropped(()))
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        let number = self.counts.made.fetch_add(1, Ordering::SeqCst);
        let path = self.folder.path().join(number.to_string());
        let file = File::options().create_new(true).read(true).write(true).open(&path)?;
        // What has no name is gone with its last handle.
        std::fs::remove_file(path)?;
        let counts = Arc::clone(&self.counts);
        Ok(Box::new(Writer {
            file: BufWriter::with_capacity(1 << 18, file),
            at: 0,
            ends: Vec::new(),
            counts,
        }))
    }
}

struct Writer {
    file: BufWriter<File>,
    at: u64,
    ends: Vec<u64>,
    counts: Arc<Counts>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.at += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl SpillWriter for Writer {
    fn end_part(&mut self) -> Result<(), TaskError> {
        self.ends.push(self.at);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Spilled>, TaskError> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.counts.alive.fetch_add(1, Ordering::SeqCst);
        self.counts.written.fetch_add(self.at, Ordering::SeqCst);
        Ok(Arc::new(Parcel { file, ends: self.ends, counts: self.counts }))
    }
}

#[derive(Debug)]
struct Parcel {
    file: File,
    ends: Vec<u64>,
    counts: Arc<Counts>,
}

impl Parcel {
    fn start(&self, part: usize) -> u64 {
        if part == 0 { 0 } else { self.ends[part - 1] }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.counts.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Spilled for Parcel {
    fn n_parts(&self) -> usize {
        self.ends.len()
    }

    fn part_bytes(&self, part: usize) -> u64 {
        self.ends[part] - self.start(part)
    }

    fn stored_bytes(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn read(&self, part: usize) -> Result<Box<dyn Read + '_>, TaskError> {
        Ok(Box::new(Part { file: &self.file, at: self.start(part), end: self.ends[part] }))
    }
}

struct Part<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = into.len().min((self.end - self.at) as usize);
        let n = self.file.read_at(&mut into[..n], self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Computes a collection task by task in plan order, its tasks having `store`; and tells how many bytes chunks and
/// declared scratch took at most.
///
/// # Errors
/// What a task or gathering says.
///
/// # Panics
/// If the collection cannot be planned.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_testkit::{Staging, compute_staged};
/// let (answer, peak_bytes) = compute_staged(&delayed(|x: u64| x + 1).call(1), &Staging::new(0)).unwrap();
/// assert_eq!((answer, peak_bytes), (2, 8));
/// ```
pub fn compute_staged<C: Collection>(
    collection: &C,
    store: &dyn SpillStore,
) -> Result<(C::Output, u64), TaskError> {
    let graph = Graph::collect(&[collection.request()]).expect("the graph can be planned");
    let plan = Plan::new(graph.optimize()).expect("the graph can be planned");
    let tasks = plan.tasks();
    let mut uses = tasks.uses();
    let mut slots: Vec<Option<ChunkRef>> = vec![None; tasks.n_slots()];
    let mut bytes = vec![0; tasks.n_slots()];
    let (mut alive, mut peak) = (0, 0);
    for task in plan.order().iter() {
        let mut inputs = Vec::new();
        let mut ended = 0;
        for slot in tasks.inputs_of(task).iter().map(|slot| slot.index()) {
            uses[slot] -= 1;
            if uses[slot] == 0 {
                ended += bytes[slot];
            }
            inputs.push(if uses[slot] == 0 { slots[slot].take() } else { slots[slot].clone() });
        }
        let outputs = tasks.run(task, &mut inputs, Some(store))?;
        drop(inputs);
        for (slot, chunk) in tasks.outputs_of(task).zip(outputs.into_chunks()) {
            bytes[slot] = chunk.nbytes().unwrap_or(0) as u64;
            alive += bytes[slot];
            slots[slot] = Some(chunk);
        }
        peak = peak.max(alive + tasks.scratch_of(task));
        alive -= ended;
    }
    let take = |slot: usize| slots[slot].clone().expect("what is asked for was made");
    let chunks = tasks.requested().iter().map(|slot| take(slot.index())).collect();
    drop(slots);
    Ok((collection.gather(chunks)?, peak))
}
