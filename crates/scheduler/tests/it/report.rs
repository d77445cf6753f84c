//! What a failed `main` prints: operation, chunk, the user's line and the causes, whole.
//!
//! `main() -> Result<(), Box<dyn Error>>` prints `Error: ` and the `Debug` of what it gives back.

use std::error::Error as StdError;
use std::num::ParseFloatError;

use musher_graph_core::{Collection, Grid, Layer, Places, Port, Request, delayed};
use musher_scheduler::{CancelToken, Compute, Error, Options, check_cancelled};
use musher_testkit::{Act, Scripted};

use crate::support::{run, unfused};

/// What `main` prints of an error.
fn printed(error: Error) -> String {
    let error: Box<dyn StdError> = error.into();
    format!("Error: {error:?}")
}

/// Where a collection was built, which is this line of this file.
fn built_at(collection: &impl Collection, line: u32) -> String {
    let caller = collection.port().layer.caller();
    assert_eq!((caller.file(), caller.line()), (file!(), line));
    caller.to_string()
}

#[test]
fn of_a_failing_call() {
    fn price(text: String) -> Result<f64, ParseFloatError> {
        text.parse()
    }
    let call = delayed(price).fallible().call("2,5".to_owned());
    let at = built_at(&call, line!() - 1);
    assert_eq!(
        printed(call.compute_with(&Options::sequential()).unwrap_err()),
        format!("Error: price failed (built at {at})\n\nCaused by:\n    invalid float literal")
    );
}

#[test]
fn of_a_failing_chunk() {
    let layer = Layer::build(Scripted::new("load").at(5, Act::Fail)).finish(Grid::from([2, 3]));
    let plan = unfused(&[Request { port: Port::of(layer.clone()), places: Places::All }]);
    assert_eq!(
        printed(run(&plan, 0, None).unwrap_err()),
        format!(
            "Error: load failed at chunk [1, 2] (built at {})\n\nCaused by:\n    the script says that place 5 fails",
            layer.caller()
        )
    );
}

#[test]
fn of_a_panic() {
    let call = delayed(|| -> f64 { panic!("the sky\nfell") }).label("weather").call(());
    let at = built_at(&call, line!() - 1);
    assert_eq!(
        printed(call.compute_with(&Options::sequential()).unwrap_err()),
        format!("Error: weather panicked (built at {at}): the sky\nfell")
    );
}

#[test]
fn of_a_memory_limit() {
    let large = delayed(|| [0_u8; 100_000]).label("large").call(());
    let at = built_at(&large, line!() - 1);
    let size = delayed(|bytes: &[u8; 100_000]| bytes.len()).label("size").call(&large);
    let size_at = built_at(&size, line!() - 1);
    let options = Options::sequential().memory_limit("64KiB");
    // Smaller chunks would help here ...
    assert_eq!(
        printed(size.compute_with(&options).unwrap_err()),
        format!(
            "Error: memory limit: large → size (built at {size_at}) needs 98 KiB at once, the limit is 64 KiB; \
             use smaller chunks or raise the limit",
        )
    );
    // ... and cannot help here.
    assert_eq!(
        printed(large.compute_with(&options).unwrap_err()),
        format!(
            "Error: memory limit: large (built at {at}) needs 98 KiB at once, the limit is 64 KiB; \
             the result alone is 98 KiB, whatever its chunks: reduce it, write it to files, or raise the limit"
        )
    );
    // Where both amounts would read the same, they are told in full.
    let almost = Options::sequential().memory_limit(100_000);
    assert!(
        printed(large.compute_with(&almost).unwrap_err()).contains(" B at once, the limit is 100000 B; "),
        "{:?}",
        large.compute_with(&almost)
    );
}

#[test]
fn of_a_cancelled_run() {
    let token = CancelToken::new();
    let inside = token.clone();
    let call = delayed(move || {
        inside.cancel();
        check_cancelled()
    });
    let error = call.fallible().call(()).compute_with(&Options::sequential().cancel(&token)).unwrap_err();
    assert_eq!(printed(error), "Error: cancelled with 0 of 1 tasks finished");
}

#[test]
fn of_a_graph_that_cannot_be_planned() {
    let outside = Places::Some([3].into());
    let layer = Layer::build(Scripted::new("load")).finish(Grid::from([2]));
    let error = musher_scheduler::plan(&[Request { port: Port::of(layer), places: outside }]).unwrap_err();
    assert_eq!(
        printed(error),
        "Error: the graph cannot be planned\n\nCaused by:\n    \
         task 3, output 0 of load is asked for, which has 2 tasks of 1 outputs"
    );
}
