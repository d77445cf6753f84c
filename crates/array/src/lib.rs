//! musher array.
