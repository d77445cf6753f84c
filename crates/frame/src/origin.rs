//! The user's call that an operation comes from.

use musher_graph_core::Site;
use musher_scheduler::files::FilesError;

use crate::error::Error;

/// What an operation knows of its caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The method that was called.
    pub(crate) operation: &'static str,
    /// The user's line.
    pub(crate) caller: Site,
}

impl Origin {
    /// Why the files of this call could not be found.
    pub(crate) fn find(self, source: FilesError) -> Error {
        Error::Find { operation: self.operation, caller: self.caller, source }
    }
}
