//! musher graph-core.
