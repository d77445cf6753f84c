//! Many writes as one: what they share is computed once.

use musher_graph_core::{Collection, Delayed, FnTask, Grid, Inputs, Layer, Place, Port, Site, Value, Wiring};

/// Many writes as one value: computing it writes them all in one pass, in which work that they share is done once.
///
/// What is written are values that [`to_zarr`](crate::Array::to_zarr), [`to_npy`](crate::Array::to_npy) and the like give.
/// Each target appears under its name when it is complete, whatever becomes of the others.
///
/// # Examples
/// ```
/// use musher_array::{Array, ndarray::Axis, store};
/// use musher_scheduler::Compute;
/// let folder = tempfile::tempdir()?;
/// let x = Array::from_shape_fn((6, 4), 2, |(i, j)| (i * 4 + j) as f64).sqrt();
/// let writes = [x.to_npy(folder.path().join("x.npy")), x.mean_axis(Axis(0)).to_npy(folder.path().join("mean.npy"))];
/// store(writes).compute()?;
/// assert!(folder.path().join("mean.npy").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
#[must_use = "nothing is written before the returned value is computed"]
#[doc(alias = "dask.array.store")]
pub fn store(writes: impl IntoIterator<Item = Delayed<()>>) -> Delayed<()> {
    let task = FnTask::new("store", |_: Place<'_>, _: &mut Inputs<'_>| Ok(Value(())));
    let mut layer = Layer::build(task).caller(Site::caller());
    for write in writes {
        layer = layer.input(write.port(), Wiring::axes([]));
    }
    Delayed::from_port(Port::of(layer.finish(Grid::scalar())))
}
