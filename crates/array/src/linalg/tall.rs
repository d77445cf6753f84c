//! Tall matrices: the blocks of rows are factorized one by one, and their triangles by a tree.
//!
//! ```text
//!   rows      ▢  ▢  ▢  ▢  ▢ …      each becomes q and r
//!             └──┴──┼──┴──┘
//!   triangles       ▢              eight below each other are a block of rows again
//!                   │
//!   top             r
//! ```
//!
//! The orthonormal factor is the product of what all levels have left; it is multiplied from the top down, a factor of one's own
//! on top first, so that it is never made where only its product is asked for.
//!
//! Source: Demmel, Grigori, Hoemmen & Langou 2012, Communication-optimal parallel and sequential QR and LU factorizations.

use super::backend::{LinalgBackend, LinalgElement, LinalgError};
use super::contraction::add_product;
use super::steps::{Made, Step, chunk, matrix, single};
use crate::array::Core;
use crate::chunks::Chunking;
use crate::element::Float;
use crate::kernel::memory::zeros;
use crate::rechunk::rechunked;
use musher_graph_core::{AxisMap, Port, Site, Wiring};
use ndarray::{Array2, ArrayView2};
use std::sync::Arc;

/// Triangles that one task stacks.
const FAN_IN: usize = 8;

/// The orthonormal blocks of one level.
struct Level {
    port: Port,
    /// Rows and columns of each.
    rows: Arc<[usize]>,
    columns: Arc<[usize]>,
}

/// A factorized tall matrix.
pub(super) struct Tall<B> {
    levels: Vec<Level>,
    /// The triangle, in one block: `(k, m)` with `k = min(n, m)`.
    pub(super) r: Core,
    backend: B,
    caller: Site,
}

/// The rows of a matrix in one block of columns: as they are divided, or where the columns were divided, in blocks no larger than
/// before, unless they would not even be square.
pub(super) fn in_rows<A: Float>(core: &Core, caller: Site) -> Core {
    let chunking = &core.chunking;
    if chunking.axis(1).len() == 1 {
        return core.clone();
    }
    let columns: usize = chunking.axis(1).iter().sum();
    let largest: usize = chunking.largest_block().iter().product();
    let height = (largest / columns.max(1)).max(columns).max(1);
    let n: usize = chunking.axis(0).iter().sum();
    let rows = (0..n.max(1)).step_by(height).map(|at| height.min(n - at)).collect();
    rechunked::<A>(core, &Chunking::from_axes([rows, [columns].into()]), caller)
}

/// A triangle whose diagonal is not negative, and the rows whose signs were changed for that.
fn positive<A: LinalgElement>(mut r: Array2<A>) -> (Array2<A>, Vec<usize>) {
    let mut changed = Vec::new();
    for at in 0..r.nrows().min(r.ncols()) {
        if r[[at, at]] < A::zero() {
            r.row_mut(at).mapv_inplace(|value| -value);
            changed.push(at);
        }
    }
    // A zero has no sign to compare by.
    r.mapv_inplace(|value| value + A::zero());
    (r, changed)
}

/// Orthonormal columns and a triangle whose diagonal is not negative.
fn signed_qr<A: LinalgElement, B: LinalgBackend<A>>(
    backend: &B,
    block: ArrayView2<'_, A>,
) -> Result<(Array2<A>, Array2<A>), LinalgError> {
    let (mut q, r) = backend.qr(block)?;
    let (r, changed) = positive(r);
    for at in changed {
        q.column_mut(at).mapv_inplace(|value| -value);
    }
    Ok((q, r))
}

/// The triangle of a matrix of one block of columns, in one block.
pub(super) fn triangle<A, B>(core: &Core, backend: &B, caller: Site) -> Core
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let mut core = core.clone();
    let columns: usize = core.chunking.axis(1).iter().sum();
    loop {
        let sizes: Arc<[usize]> = core.chunking.axis(0).iter().map(|&rows| rows.min(columns)).collect();
        let output = core.chunking.with_axis(0, Arc::clone(&sizes));
        let step = Step {
            label: "triangle",
            name: "array.triangle/1",
            grid: output.grid(),
            made: vec![Made::blocks::<A>(&output)],
            scratch: 1,
            caller,
        };
        let own = backend.clone();
        let inputs = [(&core.port, Wiring::one_to_one(2))];
        let ports = step.of::<A>(&inputs, &backend.name(), move |_, inputs| {
            let r = own.triangle(matrix::<A>(inputs, 0)?)?;
            Ok(vec![chunk(positive(r).0.into_dyn())])
        });
        let r = Core { port: ports[0].clone(), chunking: output };
        if sizes.len() == 1 {
            return r;
        }
        core = stacked::<A>(&r, caller);
    }
}

/// Triangles below each other, some in a block.
fn stacked<A: Float>(r: &Core, caller: Site) -> Core {
    let lengths = r.chunking.axis(0).chunks(FAN_IN).map(|group| group.iter().sum()).collect();
    rechunked::<A>(r, &r.chunking.with_axis(0, lengths), caller)
}

/// Factorizes a matrix of one block of columns.
pub(super) fn factorized<A, B>(core: &Core, backend: B, caller: Site) -> Tall<B>
where
    A: Float + LinalgElement,
    B: LinalgBackend<A>,
{
    let mut levels = Vec::new();
    let mut core = core.clone();
    let columns: usize = core.chunking.axis(1).iter().sum();
    loop {
        let rows = core.chunking.shared_axis(0);
        let sizes: Arc<[usize]> = rows.iter().map(|&rows| rows.min(columns)).collect();
        let (heights, of_q, of_r) = (Arc::clone(&rows), Arc::clone(&sizes), Arc::clone(&sizes));
        let step = Step {
            label: "qr",
            name: "array.qr/1",
            grid: core.chunking.grid(),
            made: vec![
                Made::of::<A>(move |at| vec![heights[at[0]], of_q[at[0]]]),
                Made::of::<A>(move |at| vec![of_r[at[0]], columns]),
            ],
            scratch: 1,
            caller,
        };
        let own = backend.clone();
        let ports =
            step.of::<A>(&[(&core.port, Wiring::one_to_one(2))], &backend.name(), move |_, inputs| {
                let (q, r) = signed_qr(&own, matrix::<A>(inputs, 0)?)?;
                Ok(vec![chunk(q.into_dyn()), chunk(r.into_dyn())])
            });
        levels.push(Level { port: ports[0].clone(), rows: Arc::clone(&rows), columns: Arc::clone(&sizes) });
        let whole = Chunking::from_axes([Arc::clone(&sizes), [columns].into()]);
        let r = Core { port: ports[1].clone(), chunking: whole };
        if rows.len() == 1 {
            return Tall { levels, r, backend, caller };
        }
        core = stacked::<A>(&r, caller);
    }
}

impl<B> Tall<B> {
    /// Columns of the orthonormal factor.
    pub(super) fn size(&self) -> usize {
        self.r.chunking.axis(0).iter().sum()
    }

    /// The orthonormal factor, `(n, k)`, in the blocks of the rows.
    pub(super) fn q<A>(&self) -> Core
    where
        A: Float + LinalgElement,
        B: LinalgBackend<A>,
    {
        let [below @ .., top] = &self.levels[..] else { unreachable!("there is a level at least") };
        let shape = [top.rows[0], top.columns[0]];
        self.down::<A>(below, single(&top.port, &shape, self.caller))
    }

    /// The orthonormal factor times a matrix `(k, p)` of one block.
    pub(super) fn q_times<A>(&self, factor: &Core) -> Core
    where
        A: Float + LinalgElement,
        B: LinalgBackend<A>,
    {
        self.down::<A>(&self.levels, factor.clone())
    }

    /// The product of these levels with a matrix that stands above them.
    fn down<A>(&self, levels: &[Level], mut product: Core) -> Core
    where
        A: Float + LinalgElement,
        B: LinalgBackend<A>,
    {
        for level in levels.iter().rev() {
            let above = product.chunking.with_axis(0, Arc::clone(&level.columns));
            let above = rechunked::<A>(&product, &above, self.caller);
            let output = above.chunking.with_axis(0, Arc::clone(&level.rows));
            let step = Step {
                label: "q",
                name: "array.q_times/1",
                grid: output.grid(),
                made: vec![Made::blocks::<A>(&output)],
                scratch: 1,
                caller: self.caller,
            };
            let backend = self.backend.clone();
            let of_level = Wiring::axes([AxisMap::follow(0), AxisMap::Fixed(0)]);
            let inputs = [(&level.port, of_level), (&above.port, Wiring::one_to_one(2))];
            let ports = step.of::<A>(&inputs, &self.backend.name(), move |_, inputs| {
                let (q, above) = (matrix::<A>(inputs, 0)?, matrix::<A>(inputs, 1)?);
                let shape = (q.nrows(), above.ncols());
                let mut product = Array2::from_shape_vec(shape, zeros::<A>(shape.0 * shape.1)?)?;
                add_product(&backend, q, above, product.view_mut())?;
                Ok(vec![chunk(product.into_dyn())])
            });
            product = Core { port: ports[0].clone(), chunking: output };
        }
        product
    }
}
