//! What to call instead of an expression that needs more rows than a partition has.

use polars::prelude::FillNullStrategy;
use polars_plan::plans::expr_ir::ExprIR;
use polars_plan::prelude::{AExpr, Arena, IRBooleanFunction, IRFunctionExpr};

/// The way to the answer that an expression of this form asks for.
pub(super) fn instead(expression: &ExprIR, arena: &Arena<AExpr>) -> &'static str {
    let mut pending = vec![expression.node()];
    while let Some(node) = pending.pop() {
        let node = arena.get(node);
        if let Some(instead) = of_node(node) {
            return instead;
        }
        node.inputs_rev(&mut pending);
    }
    AGGREGATE
}

const AGGREGATE: &str =
    "use `aggregate` or `group_by` for aggregates, `map_partitions` if each partition is meant apart";

fn of_node(node: &AExpr) -> Option<&'static str> {
    use IRBooleanFunction as B;
    use IRFunctionExpr as F;
    Some(match node {
        AExpr::Agg { .. } | AExpr::AnonymousAgg { .. } | AExpr::Len => AGGREGATE,
        AExpr::Over { .. } => {
            "use `over` with keys and without `WindowMapping`, `GroupBy::apply` for other functions of the rows of a group"
        }
        AExpr::Rolling { .. } => "use a rolling window of a number of rows, `rolling_mean` and its like",
        AExpr::Sort { .. } | AExpr::SortBy { .. } => "use `Frame::sort` or `Frame::top_k`",
        AExpr::Slice { .. } | AExpr::Gather { .. } => {
            "use `Frame::head`, `Frame::tail`, or `Frame::with_row_index` and `filter`"
        }
        AExpr::Filter { .. } => "use `Frame::filter`",
        AExpr::Explode { .. } => "use `Frame::explode`",
        AExpr::Function { function, .. } => match function {
            F::CumCount { .. }
            | F::CumSum { .. }
            | F::CumProd { .. }
            | F::CumMin { .. }
            | F::CumMax { .. } => "use `Frame::cum_sum` and its like",
            F::FillNullWithStrategy(FillNullStrategy::Forward(_) | FillNullStrategy::Backward(_)) => {
                "use `Frame::forward_fill` or `Frame::backward_fill`, or say how many rows are filled at most"
            }
            F::FillNullWithStrategy(_) => "fill with an aggregate: `x.fill_null(x.mean())`",
            F::Shift | F::ShiftAndFill | F::Diff(_) | F::PctChange => {
                "give `shift`, `diff` and `pct_change` literal numbers of rows"
            }
            F::RollingExprBy { .. } => {
                "use a rolling window of a number of rows, `rolling_mean` and its like"
            }
            F::Rank { .. } | F::ArgSort { .. } => "use `Frame::sort` and `Frame::with_row_index`",
            F::TopK { .. } | F::TopKBy { .. } => "use `Frame::top_k`",
            F::Unique(_) | F::ArgUnique => "use `Frame::unique`",
            F::UniqueCounts | F::ValueCounts { .. } => "use `Frame::value_counts`",
            F::Mode { .. } => "use `Frame::mode`",
            F::QCut { .. } => "use `cut` at the quantiles that `Frame::quantile` gives",
            F::DropNulls | F::DropNans => "use `Frame::drop_nulls` or `Frame::filter`",
            F::Boolean(B::IsUnique | B::IsDuplicated) => {
                "count the rows of each value by `GroupBy::transform` with `len()`"
            }
            F::Boolean(B::IsFirstDistinct | B::IsLastDistinct) => "use `Frame::unique`",
            F::Random { .. } => "use `Frame::sample`",
            F::Correlation { .. } => "use `Frame::corr` or `Frame::cov`",
            _ => return None,
        },
        _ => return None,
    })
}
