//! Loops whose end depends on data: each round is planned when the one before has ended.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::adapt::Held;
use crate::chunk::Codec;
use crate::collection::{Collection, Request};
use crate::delayed::{Delayed, Received};
use crate::grid::{Grid, Place};
use crate::layer::{Layer, Port};
use crate::site::Site;
use crate::task::{Inputs, Output, Task, TaskError};
use crate::wiring::Wiring;

/// Repeats `step` until `until` accepts a value; it is told the value and the number of rounds that led to it.
///
/// The loop is a value like any other: nothing blocks, no thread waits between rounds, and a round's plan is gone before
/// the next one's is made, so that a million rounds need the memory of one.
///
/// **Cost** of a round: planning what `step` builds, and one small task.
///
/// # Examples
/// ```
/// use musher_graph_core::{Delayed, delayed, iterate};
/// // Newton's method for the square root of two.
/// fn newton(x: f64) -> f64 { (x + 2.0 / x) / 2.0 }
/// let root = iterate(
///     &Delayed::ready(1.0),
///     |x| delayed(newton).call(x),
///     |x, rounds| (x * x - 2.0).abs() < 1e-12 || rounds == 100,
/// );
/// # let _: Delayed<f64> = root;
/// ```
#[track_caller]
pub fn iterate<T, S, U>(start: &Delayed<T>, step: S, until: U) -> Delayed<T>
where
    T: Clone + Send + Sync + 'static,
    S: Fn(Delayed<T>) -> Delayed<T> + Send + Sync + 'static,
    U: Fn(&T, usize) -> bool + Send + Sync + 'static,
{
    let round = Round { body: Arc::new((step, until)), done: 0, marker: PhantomData };
    round.of(start.port(), Site::caller())
}

/// One look at the value: it will do, or here is another round.
struct Round<T, S, U> {
    body: Arc<(S, U)>,
    done: usize,
    marker: PhantomData<fn() -> T>,
}

impl<T, S, U> Round<T, S, U>
where
    T: Clone + Send + Sync + 'static,
    S: Fn(Delayed<T>) -> Delayed<T> + Send + Sync + 'static,
    U: Fn(&T, usize) -> bool + Send + Sync + 'static,
{
    fn of(self, port: &Port, caller: Site) -> Delayed<T> {
        let layer = Layer::build(self).caller(caller).input(port, Wiring::single(port.grid()));
        Delayed::from_port(Port::of(layer.finish(Grid::scalar())))
    }
}

impl<T, S, U> Task for Round<T, S, U>
where
    T: Clone + Send + Sync + 'static,
    S: Fn(Delayed<T>) -> Delayed<T> + Send + Sync + 'static,
    U: Fn(&T, usize) -> bool + Send + Sync + 'static,
{
    fn label(&self) -> Cow<'_, str> {
        "iterate".into()
    }

    fn run(&self, _at: Place<'_>, mut inputs: Inputs<'_>) -> Result<Output, TaskError> {
        let (step, until) = &*self.body;
        let chunk = Arc::clone(inputs.chunk(0)?);
        if until(Received::take(&mut inputs, 0)?.as_ref(), self.done) {
            return Ok(Output::shared(chunk));
        }
        let held = Layer::build(Held::new("value of the round", vec![chunk], None)).finish(Grid::scalar());
        let next = step(Delayed::from_port(Port::of(held)));
        let round = Self { body: Arc::clone(&self.body), done: self.done + 1, marker: PhantomData };
        let again: Request = round.of(next.port(), next.port().layer.caller()).request();
        Ok(Output::more([again]))
    }

    fn continues(&self) -> bool {
        true
    }

    /// A value that this makes is of the same type, though it may be another kind of chunk: both are written alike.
    fn codec(&self, _: usize, inputs: &[Option<&'static dyn Codec>]) -> Option<&'static dyn Codec> {
        inputs.first().copied().flatten()
    }

    fn facts(&self, _at: Place<'_>, inputs: &[Option<u64>]) -> crate::task::Facts {
        inputs.first().copied().flatten().map_or_else(crate::task::Facts::default, crate::task::Facts::bytes)
    }
}
