//! musher image.
