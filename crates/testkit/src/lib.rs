//! What the tests of all crates share; never published.
//!
//! | for | there is |
//! |---|---|
//! | the same answer on every scheduler | [`check_everywhere`], [`everywhere`] |
//! | all chunkings of small shapes | [`chunkings`], [`chunkings_of`], [`with_empty_chunks`] |
//! | every task run twice, every chunk sent | [`compute_twice`] |
//! | what ran, in which order | [`Trace`] |
//! | failures by a script | [`Scripted`], [`Act`] |
//! | what a codec promises, also of damaged bytes; what plans tell of chunks | [`check_codec`], [`Told`] |
//! | a disk that fails by a script | [`FaultyStore`], [`WriteFault`], [`ReadFault`] |
//! | chunks that are counted while they live, and may panic | [`Alive`], [`Counted`], [`Brittle`] |
//! | graphs drawn by edges, and random ones | [`Drawn`], [`Weighed`], [`Random`], [`least_with_disk`] |
//! | exchanges that stage on disk, and how much memory runs took | [`Staging`], [`compute_staged`], [`Peak`] |
//! | a process of its own, also one that is killed | [`again`], [`Doomed`] |
//! | the promises that every operation makes | [`Cases`], [`Size`], [`digest`], [`promises!`] |
//! | a process of its own | [`Child`], [`resident_bytes`], [`open_files`], [`n_threads`] |
//! | deep graphs on small stacks | [`with_small_stack`] |

mod alive;
mod child;
mod chunkings;
mod damaged;
mod doomed;
mod drawn;
mod everywhere;
mod limits;
mod peak;
mod random;
mod resident;
mod script;
mod stack;
mod staging;
mod store;
mod told;
mod trace;
mod twice;

pub use alive::{Alive, Brittle, Counted};
pub use child::Child;
pub use chunkings::{chunkings, chunkings_of, with_empty_chunks};
pub use damaged::check_codec;
pub use doomed::{Doomed, again};
pub use drawn::{Drawn, Weighed, least_with_disk};
pub use everywhere::{THREADS, check_everywhere, check_everywhere_by, everywhere};
pub use limits::{Cases, Size, digest};
pub use peak::Peak;
pub use random::Random;
#[cfg(unix)]
pub use resident::limit_address_space;
pub use resident::{forget_peak, n_threads, open_files, peak_resident_bytes, resident_bytes};
pub use script::{Act, Scripted, ScriptedFailure};
pub use stack::{SMALL_STACK, with_small_stack};
pub use staging::{EXCHANGE_COUNTS, Staging, compute_staged};
pub use store::{FaultyStore, ReadFault, WriteFault};
pub use told::Told;
pub use trace::{CancelsAtStart, Trace};
pub use twice::compute_twice;
