//! musher bag.
