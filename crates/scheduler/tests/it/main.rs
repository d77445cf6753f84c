//! The schedulers from outside: what runs, when it is released, how it fails, and that it always ends.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its report")]

mod annotations;
mod cancel;
mod checkpoint;
mod collections;
mod disk;
mod event_log;
mod failure;
mod futures;
mod killed;
mod leaks;
mod memory;
mod million;
mod more_work;
mod nested;
mod options;
mod report;
mod scope;
mod settings;
mod sinks;
mod spill;
mod storage;
mod stored_errors;
mod storm;
mod support;
mod trace;
