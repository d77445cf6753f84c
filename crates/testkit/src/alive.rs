//! Chunks that are counted while they live, so that a test sees what is released and when.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use musher_graph_core::{Chunk, ChunkRef, Codec, CodecError};

/// Counts the chunks that it has made and that still live; clones share the count.
///
/// # Examples
/// ```
/// use musher_testkit::Alive;
/// let alive = Alive::default();
/// let (a, b) = (alive.chunk(1, 100), alive.chunk(2, 50));
/// assert_eq!((alive.chunks(), alive.bytes()), (2, 150));
/// drop(a);
/// assert_eq!((alive.chunks(), alive.bytes(), alive.peak_bytes()), (1, 50, 150));
/// # drop(b);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Alive(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    made: AtomicU64,
    chunks: AtomicU64,
    bytes: AtomicU64,
    peak_bytes: AtomicU64,
}

impl Alive {
    /// A chunk of this value that says it holds so many bytes.
    pub fn chunk(&self, value: u64, bytes: u64) -> Counted {
        self.0.made.fetch_add(1, Ordering::SeqCst);
        self.0.chunks.fetch_add(1, Ordering::SeqCst);
        let now = self.0.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.0.peak_bytes.fetch_max(now, Ordering::SeqCst);
        Counted { value, bytes, brittle: None, alive: self.clone() }
    }

    /// A chunk that panics where it is told to.
    pub fn brittle(&self, value: u64, bytes: u64, brittle: Brittle) -> Counted {
        let mut chunk = self.chunk(value, bytes);
        chunk.brittle = Some(brittle);
        chunk
    }

    /// How many chunks were made.
    pub fn made(&self) -> u64 {
        self.0.made.load(Ordering::SeqCst)
    }

    /// How many live now.
    pub fn chunks(&self) -> u64 {
        self.0.chunks.load(Ordering::SeqCst)
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::SeqCst)
    }

    /// Most bytes that lived at once.
    pub fn peak_bytes(&self) -> u64 {
        self.0.peak_bytes.load(Ordering::SeqCst)
    }
}

/// Where a chunk panics, with the message `brittle`.
///
/// It does so without the panic hook: ten thousand reports would say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brittle {
    /// When it is dropped, even while another panic unwinds.
    Drop,
    /// When it is asked for its bytes.
    Nbytes,
    /// When it is encoded.
    Encode,
}

impl Brittle {
    fn breaks_if(told: Option<Self>, here: Self) {
        if told == Some(here) {
            std::panic::resume_unwind(Box::new("brittle"));
        }
    }
}

/// A chunk that its [`Alive`] counts until it is dropped.
#[derive(Debug)]
pub struct Counted {
    /// What it stands for.
    pub value: u64,
    bytes: u64,
    brittle: Option<Brittle>,
    alive: Alive,
}

impl Chunk for Counted {
    fn nbytes(&self) -> Option<usize> {
        Brittle::breaks_if(self.brittle, Brittle::Nbytes);
        usize::try_from(self.bytes).ok()
    }

    fn codec(&self) -> Option<&'static dyn Codec> {
        Some(&CountedCodec)
    }
}

/// Those whose chunks have been encoded, so that decoding finds who counts; a test process is short.
static ENCODED: Mutex<Vec<Alive>> = Mutex::new(Vec::new());

/// Writes what a chunk stands for, how large it says it is, and who counts it.
struct CountedCodec;

impl Codec for CountedCodec {
    fn kind(&self) -> &'static str {
        "testkit.counted/1"
    }

    fn encode(&self, chunk: &dyn Chunk, to: &mut dyn Write) -> Result<(), CodecError> {
        let wrong = CodecError::WrongKind { expected: self.kind() };
        let chunk: &Counted = chunk.downcast_ref().ok_or(wrong)?;
        Brittle::breaks_if(chunk.brittle, Brittle::Encode);
        let mut encoded = ENCODED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = encoded.iter().rposition(|alive| Arc::ptr_eq(&alive.0, &chunk.alive.0));
        let alive = known.unwrap_or_else(|| {
            encoded.push(chunk.alive.clone());
            encoded.len() - 1
        });
        drop(encoded);
        for word in [chunk.value, chunk.bytes, alive as u64] {
            to.write_all(&word.to_le_bytes()).map_err(|source| CodecError::io(self.kind(), source))?;
        }
        Ok(())
    }

    fn decode(&self, from: &mut dyn Read) -> Result<ChunkRef, CodecError> {
        let mut words = [0; 3];
        for word in &mut words {
            let mut bytes = [0; 8];
            from.read_exact(&mut bytes).map_err(|source| CodecError::io(self.kind(), source))?;
            *word = u64::from_le_bytes(bytes);
        }
        let [value, bytes, alive] = words;
        let encoded = ENCODED.lock().unwrap_or_else(PoisonError::into_inner);
        let wrong = CodecError::WrongKind { expected: self.kind() };
        Ok(Arc::new(encoded.get(alive as usize).ok_or(wrong)?.chunk(value, bytes)))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.0.chunks.fetch_sub(1, Ordering::SeqCst);
        self.alive.0.bytes.fetch_sub(self.bytes, Ordering::SeqCst);
        Brittle::breaks_if(self.brittle, Brittle::Drop);
    }
}
