//! musher frame.
