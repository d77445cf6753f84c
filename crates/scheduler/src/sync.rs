//! Locks and atomics of this crate, so that a model checker can replace them in one place.

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Weak};
pub(crate) use std::thread;
