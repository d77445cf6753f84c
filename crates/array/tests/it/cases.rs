//! The cases of golden files: what an original was asked, and what it answered.

use crate::blocks::{golden, golden_array_of};
use musher_array::ndarray::{ArrayD, Axis, IxDyn};
use musher_array::{Array, Chunks, Element};
use musher_scheduler::{Compute, Options};
use serde_json::Value;

/// One question to the original, with its answer.
pub(crate) struct Case {
    folder: &'static str,
    value: Value,
}

impl Case {
    pub(crate) fn name(&self) -> &str {
        self.value["name"].as_str().unwrap()
    }

    pub(crate) fn operation(&self) -> &str {
        self.value["operation"].as_str().unwrap()
    }

    /// The answer where it is no array.
    pub(crate) fn value(&self) -> &Value {
        &self.value["value"]
    }

    pub(crate) fn input(&self, at: usize) -> &str {
        self.value["inputs"][at].as_str().unwrap().trim_end_matches(".npy")
    }

    pub(crate) fn n_inputs(&self) -> usize {
        self.value["inputs"].as_array().unwrap().len()
    }

    pub(crate) fn output(&self) -> &str {
        self.value["output"].as_str().unwrap().trim_end_matches(".npy")
    }

    pub(crate) fn parameter(&self, name: &str) -> &Value {
        &self.value["parameters"][name]
    }

    pub(crate) fn axis(&self) -> Option<Axis> {
        self.parameter("axis").as_u64().map(|axis| Axis(axis as usize))
    }

    /// One axis or several; none means all.
    pub(crate) fn axes(&self) -> Option<Vec<Axis>> {
        let several = || {
            Some(
                self.parameter("axis")
                    .as_array()?
                    .iter()
                    .map(|axis| Axis(axis.as_u64().unwrap() as usize))
                    .collect(),
            )
        };
        self.axis().map(|axis| vec![axis]).or_else(several)
    }

    pub(crate) fn number(&self, name: &str) -> isize {
        self.parameter(name).as_i64().unwrap_or_else(|| panic!("{}: no {name}", self.name())) as isize
    }

    pub(crate) fn numbers(&self, name: &str) -> Vec<usize> {
        let values = self.parameter(name).as_array().unwrap();
        values.iter().map(|value| value.as_u64().unwrap() as usize).collect()
    }

    /// An input in blocks of this length.
    pub(crate) fn load<A: Element>(&self, at: usize, cut: usize) -> Array<A, IxDyn> {
        golden_array_of(self.folder, self.input(at), cut)
    }

    /// The answer of the original.
    pub(crate) fn want<A: Element>(&self) -> ArrayD<A> {
        let answer: Array<A, IxDyn> = golden_array_of(self.folder, self.output(), Chunks::whole());
        answer.compute_with(&Options::sequential()).unwrap()
    }
}

/// All cases of a folder.
pub(crate) fn cases_of(folder: &'static str) -> Vec<Case> {
    let text = std::fs::read_to_string(golden(&format!("{folder}/cases.json"))).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    all.into_iter().map(|value| Case { folder, value }).collect()
}
