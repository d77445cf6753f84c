//! Running the task that failed again, alone, after what it reads.

use std::collections::HashSet;

use musher_graph_core::{Collection, Layer, Places, Port, Site};

use crate::compute::compute_with;
use crate::error::Error;
use crate::options::Options;
use crate::raw::Raw;
use crate::replay::ReplayError;

/// Runs the task that `error` names again, with only what it reads, and nothing else of the collection.
///
/// Sequential options run it on this thread, where a debugger finds it. Of several operations built by one line, as
/// in a loop, each is run until one fails.
///
/// # Errors
/// The task's failure, if it fails again; [`Error::Replay`] if the error names no task or the collection has no such
/// task.
///
/// # Examples
/// ```
/// use musher_graph_core::delayed;
/// use musher_scheduler::{Compute, Options, rerun};
/// let load = delayed(|| -> f64 { panic!("no such file") }).label("load").call(());
/// let mean = delayed(|x: f64| x / 2.0).label("mean").call(&load);
/// let error = mean.compute().unwrap_err();
/// let again = rerun(&mean, &error, &Options::sequential()).unwrap_err();
/// assert_eq!(again.to_string(), error.to_string());
/// ```
#[doc(alias = "recreate_error_locally")]
pub fn rerun<C: Collection>(collection: &C, error: &Error, options: &Options) -> Result<(), Error> {
    let Some((operation, place, caller)) = site(error) else {
        return Err(ReplayError::NoTask.into());
    };
    let mut is_found = false;
    for layer in layers(&collection.port().layer) {
        let shape = layer.grid().shape();
        let is_there = place.len() == shape.len() && place.iter().zip(shape).all(|(&at, &n)| at < n as usize);
        if layer.label() != operation || layer.caller() != caller || !is_there {
            continue;
        }
        is_found = true;
        let places = Places::Some([layer.grid().index_of(place) as u32].into());
        compute_with(&Raw { port: Port::of(layer.clone()), places }, options)?;
    }
    match is_found {
        true => Ok(()),
        false => {
            let (operation, place) = (operation.to_owned(), place.to_vec());
            Err(ReplayError::NotFound { operation, place, caller }.into())
        }
    }
}

/// The task that an error names; of a future's, that of its root.
fn site(error: &Error) -> Option<(&str, &[usize], Site)> {
    match error {
        Error::Task(failure) => Some((failure.operation(), failure.place(), failure.caller())),
        Error::Panicked { operation, place, caller, .. } => Some((operation, place, *caller)),
        Error::Upstream { source, .. } => site(source),
        _ => None,
    }
}

/// A layer and all that it stands on, producers first.
fn layers(layer: &Layer) -> Vec<&Layer> {
    let mut seen = HashSet::from([layer.key()]);
    let mut found = vec![layer];
    let mut next = 0;
    while next < found.len() {
        let producers = found[next].inputs().iter().filter_map(|input| input.producer());
        next += 1;
        found.extend(producers.filter(|producer| seen.insert(producer.key())));
    }
    found.reverse();
    found
}
