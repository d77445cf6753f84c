//! Square matrices in panels: whole columns, as many side by side as a block had elements. A panel is factorized in one task, and
//! the panels behind it take the result in, each on its own; so pivots are those of the whole column, and a task holds two panels.
//!
//! ```text
//!   panels      ▢  ▢  ▢  ▢       factorize 0
//!               │╲ ╲  ╲
//!               │ ▢  ▢  ▢       take 0 in, factorize 1
//!               │ │╲ ╲
//!               │ │ ▢  ▢       …
//! ```
//!
//! Source: Golub & Van Loan, Matrix Computations, sections 3.1 (substitution), 3.4 (partial pivoting) and 4.2 (Cholesky).

use super::backend::{LinalgBackend, LinalgElement, LinalgError, Triangle};
use super::steps::{Made, Step, chunk, fixed, matrix, own_matrix, owned, single};
use crate::array::Core;
use crate::block::Block;
use crate::chunks::Chunking;
use crate::element::{Float, float};
use crate::rechunk::rechunked;
use musher_graph_core::{AxisMap, Grid, Inputs, Port, Site, TaskError, Wiring};
use musher_scheduler::check_cancelled;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use std::sync::Arc;

/// A panel has at most so many columns: wide enough for products of matrices, narrow enough for work side by side.
const MOST_COLUMNS: usize = 256;
/// And so many at least, where the matrix has.
const LEAST_COLUMNS: usize = 16;

/// A panel of a matrix: a block of a port.
#[derive(Clone)]
pub(super) struct Panel {
    port: Port,
    at: usize,
    /// Its first column, and how many it has.
    start: usize,
    width: usize,
}

impl Panel {
    fn read(&self) -> (&Port, Wiring) {
        (&self.port, fixed(&[0, self.at]))
    }

    fn columns(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.width
    }
}

/// Widths of the panels of `columns` columns, of a matrix whose largest block has so many elements.
fn widths(rows: usize, columns: usize, largest: usize) -> Arc<[usize]> {
    let width = (largest / rows.max(1)).clamp(LEAST_COLUMNS, MOST_COLUMNS);
    let n = columns.div_ceil(width).max(1);
    (0..n).map(|at| (at + 1) * columns / n - at * columns / n).collect()
}

/// The core in panels.
pub(super) fn in_panels<A: Float>(core: &Core, caller: Site) -> Core {
    let shape = core.chunking.shape();
    let largest = core.chunking.largest_block().iter().product();
    let widths = widths(shape[0], shape[1], largest);
    rechunked::<A>(core, &Chunking::from_axes([[shape[0]].into(), widths]), caller)
}

/// The panels of a core that is divided into them.
pub(super) fn panels_of(core: &Core) -> Vec<Panel> {
    let mut start = 0;
    let mut panel = |(at, &width): (usize, &usize)| {
        let own = Panel { port: core.port.clone(), at, start, width };
        start += width;
        own
    };
    core.chunking.axis(1).iter().enumerate().map(&mut panel).collect()
}

/// Columns beside each other of which the first ones are still to be factorized.
struct State {
    port: Port,
    n_rows: usize,
    /// Widths of the columns that are left.
    widths: Arc<[usize]>,
}

impl State {
    /// What is left behind its first column, once that is taken in.
    fn next<A: Float>(
        &self,
        (label, name): (&'static str, &'static str),
        taken: &[Port],
        parameters: &(usize, usize),
        caller: Site,
        run: impl Fn(usize, &mut Inputs<'_>) -> Result<Array2<A>, TaskError> + Send + Sync + 'static,
    ) -> Self {
        let (n_rows, widths): (usize, Arc<[usize]>) = (self.n_rows, self.widths[1..].into());
        let lengths = Arc::clone(&widths);
        let step = Step {
            label,
            name,
            grid: Grid::from([1, widths.len()]),
            made: vec![Made::of::<A>(move |at| vec![n_rows, lengths[at[1]]])],
            scratch: 1,
            caller,
        };
        let behind = Wiring::axes([AxisMap::follow(0), AxisMap::Affine { axis: 1, start: 1, step: 1 }]);
        let inputs: Vec<(&Port, Wiring)> = std::iter::once((&self.port, behind))
            .chain(taken.iter().map(|port| (port, fixed(&[0, 0]))))
            .collect();
        let ports = step
            .of::<A>(&inputs, parameters, move |at, inputs| Ok(vec![chunk(run(at[1], inputs)?.into_dyn())]));
        Self { port: ports[0].clone(), n_rows, widths }
    }
}

/// A matrix as a product of a lower and an upper triangle, and other columns with the same work done to them.
pub(super) struct Lu<B> {
    panels: Vec<Panel>,
    /// The order of the rows from the first one of each panel on, as its factorization found it.
    orders: Vec<Port>,
    /// The other columns.
    beside: Core,
    n: usize,
    backend: B,
    caller: Site,
}

/// Factorizes a square matrix, with other columns beside it; of an empty matrix there is nothing to factorize.
pub(super) fn lu<A, B>(core: &Core, beside: Option<&Core>, backend: B, caller: Site) -> Lu<B>
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let core = in_panels::<A>(core, caller);
    let n: usize = core.chunking.axis(0).iter().sum();
    let panels = panels_of(&core);
    let beside = beside.map(|beside| in_panels::<A>(beside, caller));
    let state = match &beside {
        Some(beside) => side_by_side(&core, beside, caller),
        None => core.clone(),
    };
    let mut state = State { port: state.port, n_rows: n, widths: state.chunking.shared_axis(1) };
    let mut lu = Lu { panels: Vec::new(), orders: Vec::new(), beside: core, n, backend, caller };
    for panel in panels {
        let [factors, order] = factorized::<A, B>(&state, &panel, &lu.backend, caller);
        let own = lu.backend.clone();
        let (start, width) = (panel.start, panel.width);
        if state.widths.len() > 1 {
            let names = ("lu_update", "array.lu_update/1");
            state = state.next::<A>(
                names,
                &[factors.clone(), order.clone()],
                &(start, width),
                caller,
                move |_, inputs| {
                    let column = own_matrix::<A>(inputs, 0)?;
                    let order = order_of(inputs, 2)?;
                    Ok(taken_in(&own, column, matrix::<A>(inputs, 1)?, &order, start, width)?)
                },
            );
        }
        lu.panels.push(Panel { port: factors, at: 0, ..panel });
        lu.orders.push(order);
    }
    if let Some(beside) = beside {
        lu.beside = Core { port: state.port, chunking: beside.chunking };
    }
    lu
}

/// The columns of two cores beside each other.
fn side_by_side(left: &Core, right: &Core, caller: Site) -> Core {
    let widths = left.chunking.axis(1).iter().chain(right.chunking.axis(1)).copied().collect();
    let chunking = left.chunking.with_axis(1, widths);
    let layer = musher_graph_core::Layer::build(musher_graph_core::Forward::new("beside")).caller(caller);
    let grid = |core: &Core| core.chunking.grid_shape();
    let layer = layer.part(&left.port, &[0, 0], &grid(left), Wiring::one_to_one(2));
    let layer = layer.part(&right.port, &[0, grid(left)[1]], &grid(right), Wiring::one_to_one(2));
    Core { port: Port::of(layer.finish(chunking.grid())), chunking }
}

/// The first column of what is left, factorized from its diagonal on.
fn factorized<A, B>(state: &State, panel: &Panel, backend: &B, caller: Site) -> [Port; 2]
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let (n, start, width) = (state.n_rows, panel.start, panel.width);
    let step = Step {
        label: "lu",
        name: "array.lu/1",
        grid: Grid::from([1, 1]),
        made: vec![Made::one::<A>(&[n, width]), Made::one::<u64>(&[n - start])],
        scratch: 1,
        caller,
    };
    let own = backend.clone();
    let inputs = [(&state.port, fixed(&[0, 0]))];
    let ports = step.of::<A>(&inputs, &(backend.name(), start), move |_, inputs| {
        let mut column = own_matrix::<A>(inputs, 0)?;
        let (factors, order) = own.lu(column.slice(s![start.., ..]))?;
        column.slice_mut(s![start.., ..]).assign(&factors);
        let order: Array1<u64> = order.into_iter().map(|row| row as u64).collect();
        Ok(vec![chunk(column.into_dyn()), chunk(order.into_dyn())])
    });
    [ports[0].clone(), ports[1].clone()]
}

/// An order of rows that a task reads.
fn order_of(inputs: &Inputs<'_>, index: usize) -> Result<Vec<usize>, TaskError> {
    Ok(inputs.get::<Block<u64>>(index)?.view().iter().map(|&row| row as usize).collect())
}

/// The rows from `start` on in another order.
fn reordered<A: Copy>(column: &mut Array2<A>, start: usize, order: &[usize]) {
    for mut lane in column.columns_mut() {
        let mut below = lane.slice_mut(s![start..]);
        let moved: Array1<A> = order.iter().map(|&row| below[row]).collect();
        below.assign(&moved);
    }
}

/// A column with the work of a panel before it done to it.
fn taken_in<A, B>(
    backend: &B,
    mut column: Array2<A>,
    panel: ArrayView2<'_, A>,
    order: &[usize],
    start: usize,
    width: usize,
) -> Result<Array2<A>, LinalgError>
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    reordered(&mut column, start, order);
    let (own, end) = (start..start + width, start + width);
    let factor = panel.slice(s![own.clone(), ..]);
    let top = backend.solve_triangular(Triangle::UnitLower, factor, column.slice(s![own.clone(), ..]))?;
    column.slice_mut(s![own, ..]).assign(&top);
    subtract(backend, panel.slice(s![end.., ..]), top, &mut column, end)?;
    Ok(column)
}

/// Takes a product off the rows of a column from `start` on.
fn subtract<A, B>(
    backend: &B,
    left: ArrayView2<'_, A>,
    mut right: Array2<A>,
    column: &mut Array2<A>,
    start: usize,
) -> Result<(), LinalgError>
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    right.mapv_inplace(|value| -value);
    let end = start + left.nrows();
    backend.matmul(left, right.view(), column.slice_mut(s![start..end, ..]))
}

/// Solves a triangular system, whose panels these are, for columns beside it. With `operation` a zero on the diagonal is an
/// error of that name.
pub(super) fn substituted<A, B>(
    panels: &[Panel],
    triangle: Triangle,
    columns: &Core,
    (operation, backend): (&'static str, &B),
    caller: Site,
) -> Core
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let order: Vec<&Panel> =
        if triangle.is_lower() { panels.iter().collect() } else { panels.iter().rev().collect() };
    let mut port = columns.port.clone();
    for panel in order {
        let step = Step {
            label: "substitute",
            name: "array.substitute/1",
            grid: columns.chunking.grid(),
            made: vec![Made::blocks::<A>(&columns.chunking)],
            scratch: 1,
            caller,
        };
        let (own, rows) = (backend.clone(), panel.columns());
        let parameters =
            (backend.name(), operation, (triangle.is_lower(), triangle.has_ones()), rows.start, rows.end);
        let inputs = [(&port, Wiring::one_to_one(2)), panel.read()];
        let ports = step.of::<A>(&inputs, &parameters, move |_, inputs| {
            check_cancelled()?;
            let mut column = own_matrix::<A>(inputs, 0)?;
            let panel = matrix::<A>(inputs, 1)?;
            let factor = panel.slice(s![rows.clone(), ..]);
            if !triangle.has_ones() && factor.diag().iter().any(|&pivot| pivot == A::zero()) {
                return Err(LinalgError::Singular { operation }.into());
            }
            let known = own.solve_triangular(triangle, factor, column.slice(s![rows.clone(), ..]))?;
            column.slice_mut(s![rows.clone(), ..]).assign(&known);
            if triangle.is_lower() {
                subtract(&own, panel.slice(s![rows.end.., ..]), known, &mut column, rows.end)?;
            } else {
                subtract(&own, panel.slice(s![..rows.start, ..]), known, &mut column, 0)?;
            }
            Ok(vec![chunk(column.into_dyn())])
        });
        port = ports[0].clone();
    }
    Core { port, chunking: columns.chunking.clone() }
}

impl<B> Lu<B> {
    /// The solution for the columns beside the matrix.
    pub(super) fn solution<A>(&self, operation: &'static str) -> Core
    where
        A: Float + LinalgElement,
        B: LinalgBackend<A>,
    {
        let work = (operation, &self.backend);
        substituted::<A, B>(&self.panels, Triangle::Upper, &self.beside, work, self.caller)
    }

    /// The sign of the determinant, the logarithm of its magnitude, and the determinant itself: three numbers.
    pub(super) fn determinant<A>(&self) -> Core
    where
        A: Float + LinalgElement,
        B: LinalgBackend<A>,
    {
        let partial = |(panel, order): (&Panel, &Port)| {
            let step = Step {
                label: "det",
                name: "array.det/1",
                grid: Grid::from([1]),
                made: vec![Made::one::<A>(&[3])],
                scratch: 0,
                caller: self.caller,
            };
            let rows = panel.columns();
            let inputs = [panel.read(), (order, fixed(&[0, 0]))];
            let ports = step.of::<A>(&inputs, &(rows.start, rows.end), move |_, inputs| {
                let panel = matrix::<A>(inputs, 0)?;
                let diagonal = panel.slice(s![rows.clone(), ..]).diag().to_vec();
                Ok(vec![chunk(of_diagonal(&diagonal, is_odd(&order_of(inputs, 1)?)).into_dyn())])
            });
            ports[0].clone()
        };
        let partials: Vec<Port> = self.panels.iter().zip(&self.orders).map(partial).collect();
        let step = Step {
            label: "det",
            name: "array.det_whole/1",
            grid: Grid::from([1]),
            made: vec![Made::one::<A>(&[3])],
            scratch: 0,
            caller: self.caller,
        };
        let inputs: Vec<(&Port, Wiring)> = partials.iter().map(|port| (port, fixed(&[0]))).collect();
        let n = partials.len();
        let ports = step.of::<A>(&inputs, &n, move |_, inputs| {
            let mut whole = of_diagonal::<A>(&[], false);
            for index in 0..n {
                let part = inputs.get::<Block<A>>(index)?.view();
                // Behind a zero there is nothing that counts.
                if whole[0] != A::zero() {
                    whole[0] = whole[0] * part[[0]];
                    whole[1] = whole[1] + part[[1]];
                    whole[2] = whole[2] * part[[2]];
                }
            }
            if whole[0] == A::zero() {
                (whole[1], whole[2]) = (A::neg_infinity(), A::zero());
            }
            Ok(vec![chunk(whole.into_dyn())])
        });
        single(&ports[0], &[3], self.caller)
    }

    /// The order of the rows, the lower and the upper triangle, both in panels.
    pub(super) fn factors<A>(&self) -> [Core; 3]
    where
        A: Float + LinalgElement,
        B: LinalgBackend<A>,
    {
        let widths: Arc<[usize]> = self.panels.iter().map(|panel| panel.width).collect();
        let chunking = Chunking::from_axes([[self.n].into(), widths]);
        let mut parts: [Vec<Port>; 2] = [Vec::new(), Vec::new()];
        for (at, panel) in self.panels.iter().enumerate() {
            let one = || Made::one::<A>(&[self.n, panel.width]);
            let later: Vec<(usize, Port)> = self.panels[at + 1..]
                .iter()
                .map(|panel| panel.start)
                .zip(self.orders[at + 1..].iter().cloned())
                .collect();
            let inputs: Vec<(&Port, Wiring)> = std::iter::once(panel.read())
                .chain(later.iter().map(|(_, port)| (port, fixed(&[0, 0]))))
                .collect();
            let starts: Vec<usize> = later.iter().map(|&(start, _)| start).collect();
            let first = panel.start;
            let step = |label, name, scratch| Step {
                label,
                name,
                grid: Grid::from([1, 1]),
                made: vec![one()],
                scratch,
                caller: self.caller,
            };
            let known = starts.clone();
            let lower = step("lu_lower", "array.lu_lower/1", 1).of::<A>(
                &inputs,
                &(first, starts),
                move |_, inputs| {
                    let mut column = own_matrix::<A>(inputs, 0)?;
                    for (at, &start) in known.iter().enumerate() {
                        let order = order_of(inputs, at + 1)?;
                        reordered(&mut column, start, &order);
                    }
                    for ((row, at), value) in column.indexed_iter_mut() {
                        if row <= first + at {
                            *value = if row == first + at { A::one() } else { A::zero() };
                        }
                    }
                    Ok(vec![chunk(column.into_dyn())])
                },
            );
            let upper =
                step("lu_upper", "array.lu_upper/1", 0).of::<A>(&inputs[..1], &first, move |_, inputs| {
                    let mut column = own_matrix::<A>(inputs, 0)?;
                    zero_below(&mut column, first);
                    Ok(vec![chunk(column.into_dyn())])
                });
            parts[0].push(lower[0].clone());
            parts[1].push(upper[0].clone());
        }
        let [lower, upper] = parts.map(|parts| beside_each_other(&parts, &chunking, self.caller));
        [self.order::<A>(), lower, upper]
    }

    /// Which row of the matrix each row of the product of triangles is.
    fn order<A: Float>(&self) -> Core {
        let n = self.n;
        let step = Step {
            label: "lu_order",
            name: "array.lu_order/1",
            grid: Grid::from([1]),
            made: vec![Made::one::<u64>(&[n])],
            scratch: 2,
            caller: self.caller,
        };
        let inputs: Vec<(&Port, Wiring)> = self.orders.iter().map(|port| (port, fixed(&[0, 0]))).collect();
        let starts: Vec<usize> = self.panels.iter().map(|panel| panel.start).collect();
        let known = starts.clone();
        let ports = step.of::<A>(&inputs, &starts, move |_, inputs| {
            let mut rows: Array2<u64> = Array1::from_iter(0..n as u64).insert_axis(Axis(1));
            for (index, &start) in known.iter().enumerate() {
                let order = order_of(inputs, index)?;
                reordered(&mut rows, start, &order);
            }
            Ok(vec![chunk(rows.remove_axis(Axis(1)).into_dyn())])
        });
        single(&ports[0], &[n], self.caller)
    }
}

/// Zeros below the diagonal of a column that begins at this one.
fn zero_below<A: Float + LinalgElement>(column: &mut Array2<A>, first: usize) {
    for ((row, at), value) in column.indexed_iter_mut() {
        if row > first + at {
            *value = A::zero();
        }
    }
}

/// Panels as one array.
fn beside_each_other(ports: &[Port], chunking: &Chunking, caller: Site) -> Core {
    let mut layer = musher_graph_core::Layer::build(musher_graph_core::Forward::new("panels")).caller(caller);
    for (at, port) in ports.iter().enumerate() {
        layer = layer.part(port, &[0, at], &[1, 1], Wiring::one_to_one(2));
    }
    Core { port: Port::of(layer.finish(chunking.grid())), chunking: chunking.clone() }
}

/// Whether an order is made of an odd number of exchanges.
fn is_odd(order: &[usize]) -> bool {
    let mut seen = vec![false; order.len()];
    let mut odd = false;
    for start in 0..order.len() {
        let mut at = order[start];
        while !seen[start] && at != start {
            seen[at] = true;
            odd = !odd;
            at = order[at];
        }
        seen[start] = true;
    }
    odd
}

/// Sign, logarithm of the magnitude, and product of numbers on a diagonal. The first zero ends it.
fn of_diagonal<A: Float + LinalgElement>(diagonal: &[A], odd: bool) -> Array1<A> {
    let one = float::<A>(1.0);
    let (mut sign, mut log, mut product) =
        (if odd { -one } else { one }, A::zero(), if odd { -one } else { one });
    for &value in diagonal {
        if value == A::zero() {
            return Array1::from_vec(vec![A::zero(), A::neg_infinity(), A::zero()]);
        }
        sign = if value.is_nan() { value } else { sign * value.signum() };
        log = log + value.abs().ln();
        product = product * value;
    }
    Array1::from_vec(vec![sign, log, product])
}

/// The lower triangle whose product with its transpose is the matrix, of which the lower triangle is read; in panels.
pub(super) fn cholesky<A, B>(core: &Core, backend: &B, caller: Site) -> Core
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let core = in_panels::<A>(core, caller);
    let n: usize = core.chunking.axis(0).iter().sum();
    let mut state = State { port: core.port.clone(), n_rows: n, widths: core.chunking.shared_axis(1) };
    let mut parts = Vec::new();
    for panel in panels_of(&core) {
        let (start, width) = (panel.start, panel.width);
        let step = Step {
            label: "cholesky",
            name: "array.cholesky/1",
            grid: Grid::from([1, 1]),
            made: vec![Made::one::<A>(&[n, width])],
            scratch: 1,
            caller,
        };
        let own = backend.clone();
        let factor =
            step.of::<A>(&[(&state.port, fixed(&[0, 0]))], &(backend.name(), start), move |_, inputs| {
                let mut column = own_matrix::<A>(inputs, 0)?;
                let (rows, end) = (start..start + width, start + width);
                let factor = own.cholesky(column.slice(s![rows.clone(), ..]))?;
                let below = column.slice(s![end.., ..]);
                let solved = own.solve_triangular(Triangle::Lower, factor.view(), below.t())?;
                column.slice_mut(s![..start, ..]).fill(A::zero());
                column.slice_mut(s![rows, ..]).assign(&factor);
                column.slice_mut(s![end.., ..]).assign(&solved.t());
                Ok(vec![chunk(column.into_dyn())])
            });
        parts.push(factor[0].clone());
        if state.widths.len() > 1 {
            let own = backend.clone();
            let widths: Arc<[usize]> = state.widths[1..].into();
            let names = ("cholesky_update", "array.cholesky_update/1");
            state = state.next::<A>(names, &factor, &(start, width), caller, move |at, inputs| {
                let mut column = own_matrix::<A>(inputs, 0)?;
                let panel = matrix::<A>(inputs, 1)?;
                let first = start + width + widths[..at].iter().sum::<usize>();
                let row = owned(panel.slice(s![first..first + widths[at], ..]).reversed_axes())?;
                subtract(&own, panel.slice(s![first.., ..]), row, &mut column, first)?;
                Ok(column)
            });
        }
    }
    beside_each_other(&parts, &core.chunking, caller)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_as_wide_as_blocks_allow() {
        assert_eq!(*widths(1000, 1000, 200_000), [200; 5]);
        assert_eq!(*widths(1000, 40, 10), [13, 13, 14]);
        assert_eq!(*widths(600, 600, 360_000), [200; 3]);
        assert_eq!(*widths(0, 0, 0), [0]);
    }

    #[test]
    fn exchanges_are_counted() {
        assert!(
            !is_odd(&[])
                && !is_odd(&[0, 1])
                && is_odd(&[1, 0])
                && !is_odd(&[1, 2, 0])
                && is_odd(&[3, 1, 2, 0])
        );
    }
}
