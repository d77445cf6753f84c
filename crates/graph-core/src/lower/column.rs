//! A value for each task or output, held once where all are alike: a million equal tasks take no table.

/// Values by number.
#[derive(Debug)]
pub(super) struct Column<V> {
    len: usize,
    values: Cells<V>,
}

#[derive(Debug)]
enum Cells<V> {
    Alike(V),
    Each(Vec<V>),
}

impl<V: Copy> Column<V> {
    /// So many values, all this one.
    pub(super) fn alike(value: V, len: usize) -> Self {
        Self { len, values: Cells::Alike(value) }
    }

    pub(super) fn each(values: Vec<V>) -> Self {
        Self { len: values.len(), values: Cells::Each(values) }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The value with this number.
    #[inline]
    pub(super) fn get(&self, index: usize) -> V {
        match &self.values {
            Cells::Alike(value) => *value,
            Cells::Each(values) => values[index],
        }
    }

    /// Bytes of memory held.
    pub(super) fn table_bytes(&self) -> usize {
        match &self.values {
            Cells::Alike(..) => 0,
            Cells::Each(values) => size_of_val(values.as_slice()),
        }
    }
}
