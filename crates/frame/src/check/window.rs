//! Which rows beside its own an expression needs.

use polars::series::ops::NullBehavior;
use polars_plan::plans::expr_ir::ExprIR;
use polars_plan::prelude::{AExpr, Arena, IRFunctionExpr, Node, is_elementwise};

/// How many rows before its own and behind it a value may depend on.
///
/// Steps between count too: what is shifted back and forth needs no value of another row, but has to know whether there is
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Window {
    pub(crate) before: u32,
    pub(crate) after: u32,
}

impl Window {
    /// The window of an expression of row-wise functions, `shift`, `shift_and_fill` and `diff`, by literal numbers of rows;
    /// `None` of any other.
    pub(super) fn of(node: Node, arena: &Arena<AExpr>) -> Option<Self> {
        let mut whole = Self::default();
        let mut pending = vec![(node, whole)];
        while let Some((node, seen)) = pending.pop() {
            whole = whole.max(seen);
            match shifted(arena.get(node)) {
                Some((input, n_rows)) => {
                    let seen = seen.moved(integer(n_rows, arena)?)?;
                    pending.push((input[0].node(), seen));
                    // The value that fills is one for all rows.
                    input[2..].iter().all(|fill| literal(fill.node(), arena).is_some()).then_some(())?;
                }
                None => {
                    let mut inputs = Default::default();
                    is_elementwise(&mut inputs, arena.get(node), arena).then_some(())?;
                    pending.extend(inputs.iter().map(|&input| (input, seen)));
                }
            }
        }
        Some(whole)
    }

    /// The larger one on each side.
    pub(super) fn max(self, other: Self) -> Self {
        Self { before: self.before.max(other.before), after: self.after.max(other.after) }
    }

    /// The window of what is shifted by so many rows.
    fn moved(self, n_rows: i64) -> Option<Self> {
        let more = |side: u32| side.checked_add(u32::try_from(n_rows.unsigned_abs()).ok()?);
        Some(match n_rows > 0 {
            true => Self { before: more(self.before)?, ..self },
            false => Self { after: more(self.after)?, ..self },
        })
    }
}

/// The inputs of a function that shifts its first one, and the number of rows.
fn shifted(node: &AExpr) -> Option<(&[ExprIR], Node)> {
    use IRFunctionExpr::{Diff, Shift, ShiftAndFill};
    match node {
        AExpr::Function { function: Shift | ShiftAndFill | Diff(NullBehavior::Ignore), input, .. } => {
            Some((input, input.get(1)?.node()))
        }
        _ => None,
    }
}

fn integer(node: Node, arena: &Arena<AExpr>) -> Option<i64> {
    match arena.get(literal(node, arena)?) {
        AExpr::Literal(value) => value.extract_i64().ok(),
        _ => None,
    }
}

/// The literal here, under any casts of polars'.
fn literal(mut node: Node, arena: &Arena<AExpr>) -> Option<Node> {
    loop {
        match arena.get(node) {
            AExpr::Literal(_) => return Some(node),
            AExpr::Cast { expr, .. } => node = *expr,
            _ => return None,
        }
    }
}
