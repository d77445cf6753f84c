//! Deep graphs must not need deep stacks.

/// The stack on which a graph of a million tasks is built, run and dropped.
pub const SMALL_STACK: usize = 512 * 1024;

/// Runs `work` on a thread with a stack of so many bytes.
///
/// A stack that overflows ends the whole process: the test then fails by its absence.
///
/// # Panics
/// If the thread cannot be made, and where `work` panics.
///
/// # Examples
/// ```
/// use musher_testkit::{SMALL_STACK, with_small_stack};
/// assert_eq!(with_small_stack(SMALL_STACK, || 6 * 7), 42);
/// ```
pub fn with_small_stack<R: Send>(bytes: usize, work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, work);
        match thread.expect("a thread can be made").join() {
            Ok(result) => result,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    })
}
