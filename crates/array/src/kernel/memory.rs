//! The one way in which block-sized memory is asked for: a refusal is an error, not an abort.

pub(crate) mod hints;

use bytemuck::Zeroable;
use bytemuck::allocation::try_zeroed_vec;
use ndarray::{ArrayD, ArrayViewD, Axis, CowArray, IxDyn};

/// Memory for a block was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no memory for a block of {bytes} bytes")]
pub struct OutOfMemory {
    /// The bytes asked for.
    pub bytes: usize,
}

/// An empty vector with room for `n` elements.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn with_room<A>(n: usize) -> Result<Vec<A>, OutOfMemory> {
    let mut values = Vec::new();
    match values.try_reserve_exact(n) {
        Ok(()) => {
            hints::ask_for_large(values.spare_capacity_mut());
            Ok(values)
        }
        Err(_) => Err(OutOfMemory { bytes: n.saturating_mul(size_of::<A>()) }),
    }
}

/// `n` zeros. Large memory comes zeroed from the system, page by page when it is first touched, so that those who fill it
/// touch it, and not one thread before them.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn zeros<A: Zeroable>(n: usize) -> Result<Vec<A>, OutOfMemory> {
    let mut values =
        try_zeroed_vec(n).map_err(|()| OutOfMemory { bytes: n.saturating_mul(size_of::<A>()) })?;
    hints::ask_for_large(&mut values);
    Ok(values)
}

/// These values in memory of their own, of exactly their size: `collect` would keep that of larger values they come from.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn collected<A>(values: impl ExactSizeIterator<Item = A>) -> Result<Vec<A>, OutOfMemory> {
    let mut all = with_room(values.len())?;
    all.extend(values);
    Ok(all)
}

/// The elements of a view in memory of their own, in C order.
///
/// **Cost** one pass.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
///
/// # Panics
/// Never: as many elements are copied as the shape says.
pub fn copied<A: Copy + Zeroable>(view: &ArrayViewD<'_, A>) -> Result<ArrayD<A>, OutOfMemory> {
    const FITS: &str = "as many elements as the shape says";
    if let Some(elements) = view.as_slice() {
        let mut all = with_room(elements.len())?;
        all.extend_from_slice(elements);
        return Ok(ArrayD::from_shape_vec(view.raw_dim(), all).expect(FITS));
    }
    let mut all = ArrayD::from_shape_vec(view.raw_dim(), zeros(view.len())?).expect(FITS);
    match view.ndim().checked_sub(1) {
        // Where neighbors in the result lie far apart in the view, each line of cache is read once and not once a row.
        Some(last) => {
            let tiles = view.axis_chunks_iter(Axis(last), TILE);
            let places = all.axis_chunks_iter_mut(Axis(last), TILE);
            places.zip(tiles).for_each(|(mut place, tile)| place.assign(&tile));
        }
        None => all.assign(view),
    }
    Ok(all)
}

/// Elements along the last axis that are copied together.
const TILE: usize = 256;

/// The elements of a view in C order: as they are where they lie so, else copied.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn in_order<A: Copy + Zeroable>(view: ArrayViewD<'_, A>) -> Result<CowArray<'_, A, IxDyn>, OutOfMemory> {
    Ok(match view.is_standard_layout() {
        true => view.into(),
        false => copied(&view)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_error() {
        assert!(with_room::<f64>(usize::MAX / 16).is_err());
        assert!(zeros::<f64>(usize::MAX / 16).is_err());
        assert_eq!(zeros::<u8>(3), Ok(vec![0; 3]));
    }

    #[test]
    fn what_is_collected_or_copied_takes_no_more_than_it_needs() {
        let pairs = vec![(1_u64, 2_u64); 100];
        let firsts = collected(pairs.into_iter().map(|pair| pair.0)).unwrap();
        assert_eq!((firsts.len(), firsts.capacity()), (100, 100));
        let whole = ndarray::Array2::from_shape_fn((3, 4), |(i, j)| 4 * i + j).into_dyn();
        assert_eq!(copied(&whole.view()).unwrap(), whole);
        assert_eq!(copied(&whole.t()).unwrap(), whole.t());
        assert!(copied(&whole.t()).unwrap().is_standard_layout());
        // A view may promise more elements than there can be memory for.
        let many = whole.slice(ndarray::s![0, ..1]);
        let many = many.broadcast(1_usize << 57).unwrap().into_dyn();
        assert_eq!(copied(&many), Err(OutOfMemory { bytes: 1 << 60 }));
    }
}
