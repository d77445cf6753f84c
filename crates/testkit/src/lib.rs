//! musher testkit.
