//! musher viz.
