//! musher ml.
