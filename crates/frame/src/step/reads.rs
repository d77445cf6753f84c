//! Which columns a step reads: what a reader of files need not read otherwise.

use polars::prelude::{Expr, PlSmallStr};

/// The columns that a step reads of its input.
pub(super) struct Reads {
    named: Vec<PlSmallStr>,
    then: Needs,
}

/// Which other columns of its input are needed after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// None: the step names all that go on.
    NoMore,
    /// Those that later steps need.
    More,
    /// All.
    All,
}

impl Reads {
    /// The columns that these expressions read, and what is needed besides.
    pub(super) fn of<'a>(exprs: impl IntoIterator<Item = &'a Expr>, then: Needs) -> Self {
        let mut named = Vec::new();
        for node in exprs.into_iter().flatten() {
            match node {
                Expr::Column(name) if !named.contains(name) => named.push(name.clone()),
                // These read columns that they do not show.
                Expr::Selector(_) | Expr::DataTypeFunction(_) | Expr::SubPlan(..) => {
                    return Self { named, then: Needs::All };
                }
                _ => {}
            }
        }
        Self { named, then }
    }

    /// Adds the named columns to those that are needed.
    pub(super) fn add_to(&self, columns: &mut Vec<PlSmallStr>) -> Needs {
        for name in &self.named {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        self.then
    }
}
