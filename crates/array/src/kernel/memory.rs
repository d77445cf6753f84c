//! The one way in which block-sized memory is asked for: a refusal is an error, not an abort.

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
        Ok(()) => Ok(values),
        Err(_) => Err(OutOfMemory { bytes: n.saturating_mul(size_of::<A>()) }),
    }
}

/// `n` default elements.
///
/// # Errors
/// [`OutOfMemory`] when the system refuses.
pub fn zeros<A: Clone + Default>(n: usize) -> Result<Vec<A>, OutOfMemory> {
    // The probe is given back at once; the allocation after it comes zeroed from the system, page by page when
    // it is first touched, which filling by hand would not.
    drop(with_room::<A>(n)?);
    Ok(vec![A::default(); n])
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
}
