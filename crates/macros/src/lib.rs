//! musher macros.
