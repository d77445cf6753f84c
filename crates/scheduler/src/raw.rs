//! Chunks of any layer as a collection, for what the crate computes on its own account.

use musher_graph_core::{ChunkRef, Collection, Places, Port, TaskError};

/// Chunks as they are.
pub(crate) struct Raw {
    pub(crate) port: Port,
    pub(crate) places: Places,
}

impl Collection for Raw {
    type Output = Vec<ChunkRef>;

    fn port(&self) -> &Port {
        &self.port
    }

    fn places(&self) -> Places {
        self.places.clone()
    }

    fn gather(&self, chunks: Vec<ChunkRef>) -> Result<Vec<ChunkRef>, TaskError> {
        Ok(chunks)
    }

    fn with_port(&self, port: Port) -> Self {
        Self { port, places: Places::All }
    }
}
