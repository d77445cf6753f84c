//! A value for each task or output, held once where all are alike: a million equal tasks take no table.

/// Values by number.
#[derive(Debug)]
pub(super) enum Column<V> {
    /// So many values, all this one.
    Alike(V, usize),
    Each(Vec<V>),
}

impl<V: Copy> Column<V> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Alike(_, n) => *n,
            Self::Each(values) => values.len(),
        }
    }

    /// The value with this number.
    #[inline]
    pub(super) fn get(&self, index: usize) -> V {
        match self {
            Self::Alike(value, _) => *value,
            Self::Each(values) => values[index],
        }
    }

    /// Bytes of memory held.
    pub(super) fn table_bytes(&self) -> usize {
        match self {
            Self::Alike(..) => 0,
            Self::Each(values) => size_of_val(values.as_slice()),
        }
    }
}
