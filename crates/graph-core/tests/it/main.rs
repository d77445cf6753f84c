//! The engine's decisions before data exists, from outside: wirings, keys, lowering, fusion, order.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod annotations;
mod check;
mod codecs;
mod cost;
mod exchange;
mod forecast;
mod fuse;
mod key;
mod line;
mod lower;
mod order;
mod patterns;
mod planning;
mod scope;
mod support;
mod to_petgraph;
mod wiring;
