//! The operations of a [`Frame`](crate::Frame), a family a file.

mod combine;
mod divisions;
mod fill;
mod group;
mod numbered;
mod over;
mod reduce;
mod reshape;
mod rows;
mod running;
mod select;
mod shift;
mod shuffle;
mod sort;
mod statistics;
mod totals;
mod write;

pub use combine::How;
pub(crate) use divisions::Sorted;
pub use group::GroupBy;
pub use rows::Order;
pub use write::Written;
