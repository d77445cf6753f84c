//! What the tests of all crates share; never published.
//!
//! | for | there is |
//! |---|---|
//! | the same answer on every scheduler | [`check_everywhere`], [`everywhere`] |
//! | all chunkings of small shapes | [`chunkings`], [`chunkings_of`], [`with_empty_chunks`] |
//! | what ran, in which order | [`Trace`] |
//! | failures by a script | [`Scripted`], [`Act`] |
//! | a disk that fails by a script | [`FaultyStore`], [`WriteFault`], [`ReadFault`] |
//! | chunks that are counted while they live, and may panic | [`Alive`], [`Counted`], [`Brittle`] |
//! | graphs drawn by edges, and random ones | [`Drawn`], [`Weighed`], [`Random`], [`least_with_disk`] |
//! | exchanges that stage on disk | [`Staging`], [`compute_staged`] |
//! | deep graphs on small stacks | [`with_small_stack`] |

mod alive;
mod chunkings;
mod drawn;
mod everywhere;
mod random;
mod script;
mod stack;
mod staging;
mod store;
mod trace;

pub use alive::{Alive, Brittle, Counted};
pub use chunkings::{chunkings, chunkings_of, with_empty_chunks};
pub use drawn::{Drawn, Weighed, least_with_disk};
pub use everywhere::{THREADS, check_everywhere, check_everywhere_by, everywhere};
pub use random::Random;
pub use script::{Act, Scripted, ScriptedFailure};
pub use stack::{SMALL_STACK, with_small_stack};
pub use staging::{EXCHANGE_COUNTS, Staging, compute_staged};
pub use store::{FaultyStore, ReadFault, WriteFault};
pub use trace::Trace;
