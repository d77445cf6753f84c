//! Locks, atomics, threads and the clock of this crate, so that a model checker can replace them in one place.
//!
//! Under `cfg(shuttle)` the same names stand for things that [shuttle](https://docs.rs/shuttle) schedules: it runs all
//! threads on one, one at a time, and tries another order of their steps in every round. Time then is a coin: see
//! `model.rs` for what is checked.

pub(crate) use std::sync::{Arc, Weak};

/// A lock in a `static`, which outlives the rounds of a model checker: no step of a run happens under it.
pub(crate) use parking_lot::Mutex as StaticMutex;

#[cfg(not(shuttle))]
pub(crate) use self::native::*;
#[cfg(shuttle)]
pub(crate) use self::scheduled::*;

/// What everybody runs.
#[cfg(not(shuttle))]
mod native {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(crate) use std::time::Instant;
    pub(crate) use std::{thread, thread_local};

    pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
    pub(crate) use rayon::{ThreadPool, yield_now};

    /// Does the work once on each thread of a pool.
    pub(crate) fn on_threads(pool: &ThreadPool, work: impl Fn(usize) + Sync) {
        pool.broadcast(|context| work(context.index()));
    }
}

/// What the model checker runs.
#[cfg(shuttle)]
mod scheduled {
    use std::ops::{Deref, DerefMut};
    use std::sync::PoisonError;
    use std::time::Duration;

    pub(crate) use rayon::ThreadPool;
    use shuttle::rand::Rng;
    pub(crate) use shuttle::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use shuttle::thread::yield_now;
    pub(crate) use shuttle::{thread, thread_local};
    // A flag that a signal handler may raise; whoever looks at it does so between two locks.
    pub(crate) use std::sync::atomic::AtomicBool;

    /// A lock that does not mind panics, as those of `parking_lot`.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    /// Holds a [`Mutex`].
    pub(crate) struct MutexGuard<'a, T> {
        mutex: &'a Mutex<T>,
        /// Absent while [`Condvar::wait_for`] has let it go.
        guard: Option<shuttle::sync::MutexGuard<'a, T>>,
    }

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            MutexGuard { mutex: self, guard: Some(guard) }
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.guard.as_ref().expect("only who waits has let it go")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.guard.as_mut().expect("only who waits has let it go")
        }
    }

    /// A condition that wakes whoever waits at any time, told or not.
    ///
    /// The waits of a run are naps: that a sleeper is told early is a matter of speed, not of coming to an end.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar;

    /// Whether a wait has ended by itself.
    pub(crate) struct WaitTimeoutResult(bool);

    impl WaitTimeoutResult {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub(crate) const fn new() -> Self {
            Self
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            guard.guard = None;
            yield_now();
            guard.guard = guard.mutex.lock().guard;
        }

        pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _: Duration) -> WaitTimeoutResult {
            self.wait(guard);
            WaitTimeoutResult(coin())
        }

        pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: std::time::Instant) {
            self.wait(guard);
        }

        pub(crate) fn notify_one(&self) {}

        pub(crate) fn notify_all(&self) {}
    }

    fn coin() -> bool {
        shuttle::rand::thread_rng().r#gen()
    }

    /// A moment after which either nothing has happened or a long time has passed.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Instant;

    impl Instant {
        pub(crate) fn now() -> Self {
            Self
        }

        pub(crate) fn elapsed(self) -> Duration {
            if coin() { Duration::from_secs(1) } else { Duration::ZERO }
        }
    }

    /// Does the work once on each of as many threads as the pool has, which itself stays idle.
    pub(crate) fn on_threads(pool: &ThreadPool, work: impl Fn(usize) + Sync) {
        on_scheduled_threads(pool.current_num_threads(), work);
    }

    /// Does the work once on each of so many threads.
    pub(crate) fn on_scheduled_threads(n: usize, work: impl Fn(usize) + Sync) {
        thread::scope(|scope| {
            for index in 0..n {
                let work = &work;
                scope.spawn(move || work(index));
            }
        });
    }
}
