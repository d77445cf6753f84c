//! Pure functions on one partition: they name neither keys nor graphs.

pub(crate) mod aggregate;
mod moments;
pub(crate) mod records;
pub(crate) mod row_keys;
