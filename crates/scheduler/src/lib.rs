//! musher scheduler.
