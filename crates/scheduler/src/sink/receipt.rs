//! What is known of a part that was written, as a chunk that travels.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Component, Path};

use musher_graph_core::{AsRecord, Measure};
use serde::{Deserialize, Serialize};

/// One part that was written: which, how much, and the checksum of its bytes.
///
/// # Examples
/// ```
/// use musher_scheduler::sink::{Receipt, SinkError, Target, open};
/// use std::io::Write;
/// # let folder = tempfile::tempdir()?;
/// let stage = open(&Target::folder(folder.path().join("parts")), 1)?;
/// let receipt: Receipt = stage.write_part("part-0", |file| {
///     file.write_all(b"two\nlines\n").map_err(|error| stage.failed("write", error))?;
///     Ok::<_, SinkError>(2)
/// })?;
/// assert_eq!((receipt.name.as_str(), receipt.bytes, receipt.rows), ("part-0", 10, 2));
/// # musher_scheduler::sink::abandon(1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The part's name, by which no two parts of a stage are called; `folder/name` where it goes into a folder in the target.
    pub name: String,
    /// From its first to behind its last byte, in its own file or in the one that it shares.
    pub range: Range<u64>,
    /// Bytes of it, which may have gaps between them in a shared file.
    pub bytes: u64,
    /// Rows, or whatever else its writer counts.
    pub rows: u64,
    /// xxh3-128 of its bytes, in the order of the file.
    pub checksum: u128,
}

impl Receipt {
    /// Bytes of memory that a receipt takes whose name is no longer than usual: what [`Format::facts`](super::Format::facts)
    /// tell of the output.
    pub const BYTES: u64 = size_of::<Self>() as u64 + 40;
}

impl Measure for Receipt {
    fn nbytes(&self) -> usize {
        size_of::<Self>() + self.name.capacity()
    }
}

impl AsRecord for Receipt {
    const KIND: &'static str = "sink.receipt/1";

    fn is_sound(&self) -> bool {
        is_plain(&self.name) && self.range.start <= self.range.end
    }
}

/// Whether a name is that of a file in a folder, or in folders in it, and nothing else: `a` or `a/b`.
pub(super) fn is_plain(name: &str) -> bool {
    let is_plain = |part: &str| {
        let mut components = Path::new(part).components();
        let first = matches!(components.next(), Some(Component::Normal(first)) if first == part);
        first && components.next().is_none()
    };
    name.split('/').all(is_plain)
}

/// The folders that names of parts speak of, outer ones first, each once.
pub(super) fn folders(receipts: &[Receipt]) -> BTreeSet<&Path> {
    let above = receipts.iter().flat_map(|receipt| Path::new(&receipt.name).ancestors().skip(1));
    above.filter(|folder| !folder.as_os_str().is_empty()).collect()
}
