//! Pure functions on one partition: they name neither keys nor graphs.

pub(crate) mod aggregate;
pub(crate) mod records;
pub(crate) mod row_keys;
