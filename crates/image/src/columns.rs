//! A small table of named columns: how measurements leave this crate.

use musher_graph_core::Measure;

/// Named columns of equal length; the facade makes a `Frame` of them.
///
/// # Examples
/// ```
/// use musher_image::{Column, Columns};
/// let table = Columns::new(vec![("label".into(), Column::I64(vec![1, 2])), ("mean".into(), Column::F64(vec![0.5, 2.0]))]);
/// assert_eq!(table.len(), 2);
/// assert_eq!(table.f64("mean"), Some(&[0.5, 2.0][..]));
/// assert_eq!(table.names().collect::<Vec<_>>(), ["label", "mean"]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Columns {
    columns: Vec<(String, Column)>,
}

/// One column: a one-dimensional array of one type.
///
/// # Examples
/// ```
/// assert_eq!(musher_image::Column::U64(vec![3, 4]).len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Signed integers.
    I64(Vec<i64>),
    /// Unsigned integers.
    U64(Vec<u64>),
    /// Floats.
    F64(Vec<f64>),
}

impl Column {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::I64(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Columns {
    /// A table of these columns, in this order.
    ///
    /// # Panics
    /// When the columns have different lengths.
    #[must_use]
    #[track_caller]
    pub fn new(columns: Vec<(String, Column)>) -> Self {
        let equal = columns.windows(2).all(|pair| pair[0].1.len() == pair[1].1.len());
        assert!(equal, "the columns of a table have equal lengths");
        Self { columns }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The column of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(own, _)| own == name).map(|(_, column)| column)
    }

    /// The column of this name, if it holds floats.
    #[must_use]
    pub fn f64(&self, name: &str) -> Option<&[f64]> {
        match self.get(name) {
            Some(Column::F64(values)) => Some(values),
            _ => None,
        }
    }

    /// The column of this name, if it holds unsigned integers.
    #[must_use]
    pub fn u64(&self, name: &str) -> Option<&[u64]> {
        match self.get(name) {
            Some(Column::U64(values)) => Some(values),
            _ => None,
        }
    }

    /// The column of this name, if it holds signed integers.
    #[must_use]
    pub fn i64(&self, name: &str) -> Option<&[i64]> {
        match self.get(name) {
            Some(Column::I64(values)) => Some(values),
            _ => None,
        }
    }

    /// Names and columns, owned, in order.
    #[must_use]
    pub fn into_columns(self) -> Vec<(String, Column)> {
        self.columns
    }
}

impl Measure for Columns {
    fn nbytes(&self) -> usize {
        // Every column type is 8 bytes wide.
        let values: usize = self.columns.iter().map(|(name, column)| name.len() + 8 * column.len()).sum();
        values + self.columns.len() * size_of::<(String, Column)>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, Columns};

    #[test]
    #[should_panic(expected = "equal lengths")]
    fn columns_of_different_lengths_are_refused() {
        let _ = Columns::new(vec![("a".into(), Column::U64(vec![1])), ("b".into(), Column::U64(vec![]))]);
    }

    #[test]
    fn a_column_is_found_by_name_and_type() {
        let table =
            Columns::new(vec![("a".into(), Column::U64(vec![1])), ("b".into(), Column::F64(vec![2.0]))]);
        assert_eq!(table.u64("a"), Some(&[1][..]));
        assert_eq!((table.u64("b"), table.f64("c"), table.i64("a")), (None, None, None));
    }
}
