//! From requests to a plan.

use musher_graph_core::{Graph, Plan, Request};

use crate::error::Error;

/// The plan of these requests: collected, optimized, ordered.
///
/// # Errors
/// [`Error::Plan`] if the graph cannot be planned.
pub fn plan(requests: &[Request]) -> Result<Plan, Error> {
    Ok(Plan::new(Graph::collect(requests)?.optimize())?)
}
