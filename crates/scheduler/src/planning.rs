//! From requests to a plan.

use musher_graph_core::{Error as PlanError, Plan, Request};

use crate::cancel::CancelToken;
use crate::error::Error;

/// The plan of these requests: collected, optimized, ordered.
///
/// # Errors
/// [`Error::Plan`] if the graph cannot be planned.
pub fn plan(requests: &[Request]) -> Result<Plan, Error> {
    plan_unless(requests, None)
}

/// The same, given up once the run is cancelled that it is for.
pub(crate) fn plan_unless(requests: &[Request], cancel: Option<&CancelToken>) -> Result<Plan, Error> {
    let go_on = || !cancel.is_some_and(CancelToken::is_cancelled);
    Plan::of(requests, &go_on).map_err(|error| match (error, cancel) {
        (PlanError::GivenUp, Some(cancel)) => Error::stopped(cancel, 0, 0),
        (error, _) => error.into(),
    })
}
