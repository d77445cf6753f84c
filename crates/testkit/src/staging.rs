//! A place outside memory for tests, and a run that uses it: what an exchange does when it does not fit.

use std::sync::Arc;

use musher_graph_core::{Collection, Kept, SpillStore, SpillWriter, TaskError};
use musher_scheduler::{Error, Run, Scheduler, Sequential, SpillCompression, SpillDir, SpillOptions};

use crate::Peak;

/// Numbers of inputs and targets around the widths of numbers, at which every user of an exchange is tested.
pub const EXCHANGE_COUNTS: [usize; 14] =
    [1, 2, 127, 128, 129, 255, 256, 257, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537];

/// A [`SpillDir`] in the system's folder for temporary files, without compression: bytes written are bytes given. Clones
/// are one store.
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
#[derive(Debug, Clone)]
pub struct Staging {
    dir: Arc<SpillDir>,
    keeps: u64,
}

impl Staging {
    /// A store that lets each exchange of up to `keeps` bytes stay in memory.
    pub fn new(keeps: u64) -> Self {
        let options = SpillOptions::default().compression(SpillCompression::Never);
        Self { dir: Arc::new(SpillDir::new(options)), keeps }
    }

    /// Parcels that are held by somebody.
    pub fn n_alive(&self) -> u64 {
        self.dir.counts().parcels
    }

    /// Bytes of all parcels so far.
    pub fn written_bytes(&self) -> u64 {
        self.dir.counts().written
    }
}

impl SpillStore for Staging {
    fn keep(&self, _bytes: u64, together: u64) -> Option<Kept> {
        (together <= self.keeps).then(|| Kept::until_dropped(()))
    }

    fn parcel(&self) -> Result<Box<dyn SpillWriter>, TaskError> {
        self.dir.parcel()
    }
}

/// Computes a collection task by task in plan order, its tasks having `store`; and tells how many bytes chunks and
/// declared scratch took at most.
///
/// # Errors
/// As those of a run without a memory limit.
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
    store: &(impl SpillStore + Clone + 'static),
) -> Result<(C::Output, u64), Error> {
    let mut run = Run::new(musher_scheduler::plan(&[collection.request()])?);
    let peak = Arc::new(Peak::default());
    run.spill_store = Some(Arc::new(store.clone()));
    run.observers = vec![peak.clone()];
    let chunks = Sequential.run(&run)?;
    let bytes = peak.bytes() - run.plan.tasks().table_bytes() as u64;
    let answer = collection.gather(chunks).map_err(|error| Error::Gather { source: error.into_cause() })?;
    Ok((answer, bytes))
}
