//! The engine's decisions before data exists, from outside: wirings, keys, lowering, fusion, order.

mod fuse;
mod key;
mod lower;
mod order;
mod support;
mod wiring;
