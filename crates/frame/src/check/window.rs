//! Which rows beside its own an expression needs.

use polars::prelude::FillNullStrategy;
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
    /// The window of an expression of row-wise functions, and of those that see a number of rows that is told in advance:
    /// `shift`, `shift_and_fill`, `diff` and `pct_change` by literals, rolling windows of so many rows, fills of at most so
    /// many, peaks; `None` of any other.
    pub(super) fn of(node: Node, arena: &Arena<AExpr>) -> Option<Self> {
        let mut whole = Self::default();
        let mut pending = vec![(node, whole)];
        while let Some((node, seen)) = pending.pop() {
            whole = whole.max(seen);
            if let Some((input, n_rows)) = shifted(arena.get(node)) {
                let seen = seen.moved(integer(n_rows, arena)?)?;
                pending.push((input[0].node(), seen));
                // The value that fills is one for all rows.
                input[2..].iter().all(|fill| literal(fill.node(), arena).is_some()).then_some(())?;
            } else if let Some((input, beside)) = windowed(arena.get(node)) {
                let seen = seen.plus(beside?)?;
                pending.extend(input.iter().map(|input| (input.node(), seen)));
            } else {
                let mut inputs = Default::default();
                is_elementwise(&mut inputs, arena.get(node), arena).then_some(())?;
                pending.extend(inputs.iter().map(|&input| (input, seen)));
            }
        }
        Some(whole)
    }

    /// The larger one on each side.
    pub(super) fn max(self, other: Self) -> Self {
        Self { before: self.before.max(other.before), after: self.after.max(other.after) }
    }

    /// The window of what is seen through another window.
    fn plus(self, other: Self) -> Option<Self> {
        let before = self.before.checked_add(other.before)?;
        Some(Self { before, after: self.after.checked_add(other.after)? })
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
    use IRFunctionExpr::{Diff, PctChange, Shift, ShiftAndFill};
    match node {
        AExpr::Function {
            function: Shift | ShiftAndFill | PctChange | Diff(NullBehavior::Ignore),
            input,
            ..
        } => Some((input, input.get(1)?.node())),
        _ => None,
    }
}

/// The inputs of a function that sees rows beside its own, and how many; `None` inside where they are too many.
fn windowed(node: &AExpr) -> Option<(&[ExprIR], Option<Window>)> {
    use FillNullStrategy::{Backward, Forward};
    use IRFunctionExpr::{FillNullWithStrategy, PeakMax, PeakMin, RollingExpr};
    let AExpr::Function { function, input, .. } = node else { return None };
    let window = match function {
        RollingExpr { options, .. } => {
            u32::try_from(options.window_size).ok().map(|size| match options.center {
                false => Window { before: size.saturating_sub(1), after: 0 },
                true => Window { before: size / 2, after: size / 2 },
            })
        }
        FillNullWithStrategy(Forward(Some(limit))) => Some(Window { before: *limit, after: 0 }),
        FillNullWithStrategy(Backward(Some(limit))) => Some(Window { before: 0, after: *limit }),
        PeakMin | PeakMax => Some(Window { before: 1, after: 1 }),
        _ => return None,
    };
    Some((input, window))
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
