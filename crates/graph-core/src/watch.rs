//! Giving up while a plan is made: every pass asks now and then whether to go on.
//!
//! There is no clock in this crate, so whoever has one asks it.

use crate::error::Error;

/// Between two questions a pass goes on for so many layers.
const STEPS: usize = 256;

/// Whether to go on, if anybody says.
#[derive(Clone, Copy)]
pub(crate) struct Watch<'a>(Option<&'a dyn Fn() -> bool>);

impl<'a> Watch<'a> {
    /// Nobody ends it.
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn new(go_on: &'a dyn Fn() -> bool) -> Self {
        Self(Some(go_on))
    }

    /// Asks.
    pub(crate) fn look(self) -> Result<(), Error> {
        match self.0 {
            Some(go_on) if !go_on() => Err(Error::GivenUp),
            _ => Ok(()),
        }
    }

    /// Asks at the first layer and at some of the others.
    #[inline]
    pub(crate) fn look_at(self, layer: usize) -> Result<(), Error> {
        if layer.is_multiple_of(STEPS) { self.look() } else { Ok(()) }
    }
}
