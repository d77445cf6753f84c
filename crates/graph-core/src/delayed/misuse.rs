//! Misuse that must not compile, each case beside one that does and differs in nothing else.
//!
//! # A plain argument needs `Token`
//! ```
//! #[derive(Clone)]
//! struct Model;
//! fn score(_model: &Model) -> f64 { 1.0 }
//! let _ = musher_graph_core::delayed(score).call(musher_graph_core::opaque(Model));
//! ```
//! ```compile_fail,E0277
//! #[derive(Clone)]
//! struct Model;
//! fn score(_model: &Model) -> f64 { 1.0 }
//! let _ = musher_graph_core::delayed(score).call(Model);
//! ```
//!
//! # Four parameters, not five
//! ```
//! fn four(a: i64, b: i64, c: i64, d: i64) -> i64 { a + b + c + d }
//! let _ = musher_graph_core::delayed(four).call((1, 2, 3, 4));
//! ```
//! ```compile_fail,E0599
//! fn five(a: i64, b: i64, c: i64, d: i64, e: i64) -> i64 { a + b + c + d + e }
//! let _ = musher_graph_core::delayed(five).call((1, 2, 3, 4, 5));
//! ```
//!
//! # An argument is of its parameter's type
//! ```
//! fn half(x: f64) -> f64 { x / 2.0 }
//! let _ = musher_graph_core::delayed(half).call(1.0);
//! ```
//! ```compile_fail,E0277
//! fn half(x: f64) -> f64 { x / 2.0 }
//! let _ = musher_graph_core::delayed(half).call("1");
//! ```
//! ```compile_fail
//! fn half(x: f64) -> f64 { x / 2.0 }
//! fn name() -> String { String::new() }
//! let name = musher_graph_core::delayed(name).call(());
//! let _ = musher_graph_core::delayed(half).call(&name);
//! ```
//!
//! # What travels between threads is `Send`, `Sync` and owned
//! ```
//! let _ = musher_graph_core::delayed(|| std::sync::Arc::new(1)).call(());
//! ```
//! ```compile_fail,E0599
//! let _ = musher_graph_core::delayed(|| std::rc::Rc::new(1)).call(());
//! ```
//! ```compile_fail,E0597
//! let local = String::from("gone before it is used");
//! let borrowed = &local;
//! let length = musher_graph_core::delayed(move || borrowed.len()).call(());
//! # let _ = length;
//! ```
//!
//! # A parameter taken by value can be cloned
//! ```compile_fail
//! struct Single(i64);
//! fn make() -> Single { Single(1) }
//! fn take(single: Single) -> i64 { single.0 }
//! let single = musher_graph_core::delayed(make).call(());
//! let _ = musher_graph_core::delayed(take).call(single);
//! ```
//! ```
//! struct Single(i64);
//! fn make() -> Single { Single(1) }
//! fn take(single: &Single) -> i64 { single.0 }
//! let single = musher_graph_core::delayed(make).call(());
//! let _ = musher_graph_core::delayed(take).call(single);
//! ```
//!
//! # A fallible function gives back a `Result`
//! ```compile_fail,E0599
//! fn plain(x: i64) -> i64 { x }
//! let _ = musher_graph_core::delayed(plain).fallible().call(1);
//! ```
//!
//! # A hand-made graph holds values of one type
//! ```compile_fail,E0308
//! let mut graph = musher_graph_core::GraphBuilder::<f64>::new();
//! graph.add([], |_| "text");
//! ```
