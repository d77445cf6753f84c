//! Aggregates of the whole frame beside the values of its rows.

use musher_graph_core::{AxisMap, Layer, Port, Wiring};
use polars::prelude::{Expr, Schema, col};
use polars_plan::prelude::FunctionExpr;

use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::is_aggregate;
use crate::origin::Origin;
use crate::step::PartitionStep;
use crate::task::{PartitionTask, Rows};

/// What begins the names of the columns that hold totals.
const PREFIX: &str = "__musher_total_";

/// Expressions whose aggregates were replaced by columns, and the frame that has these.
pub(super) struct Totals {
    pub(super) frame: Frame,
    pub(super) expressions: Vec<Expr>,
}

impl Frame {
    /// The aggregates in these expressions as columns that say the same in every row, and the expressions over them; `None` if
    /// there are none, or rows are wanted of nothing else.
    pub(super) fn with_totals(&self, expressions: &[Expr], origin: Origin) -> Result<Option<Totals>, Error> {
        let expanded = check::expand(self.nothing().select(expressions), origin)?;
        let mut totals = Vec::new();
        let mut parted = Vec::with_capacity(expanded.len());
        for (name, expression) in expanded {
            // Aggregates in there are of groups, of windows or of lists.
            let is_closed = |node: &Expr| {
                matches!(
                    node,
                    Expr::Over { .. } | Expr::Rolling { .. } | Expr::Eval { .. } | Expr::StructEval { .. }
                )
            };
            let is_closed = (&expression).into_iter().any(is_closed);
            let expression = if is_closed { expression } else { replaced(expression, &mut totals) };
            if (&expression).into_iter().any(sees_rows_of_total) {
                return Ok(None);
            }
            parted.push(expression.alias(name));
        }
        if totals.is_empty() {
            return Ok(None);
        }
        let row = self.aggregate_at(&totals, origin)?;
        let mut schema = Schema::clone(&self.schema);
        schema.merge(Schema::clone(&row.schema));
        let task = PartitionTask::new(Rows::Input { slot: 0 }, vec![PartitionStep::carry(1)]);
        let layer = Layer::build(task).caller(origin.caller).input(&self.port, Wiring::one_to_one(1));
        let layer =
            layer.input(&row.port, Wiring::axes([AxisMap::Fixed(0)])).finish(self.port.grid().clone());
        let frame = Self { port: Port::of(layer), schema: schema.into(), lengths: self.lengths.clone() };
        Ok(Some(Totals { frame, expressions: parted }))
    }
}

impl Totals {
    /// Whether values of rows are among what is computed.
    pub(super) fn has_rows(&self) -> bool {
        self.expressions.iter().flatten().any(|node| matches!(node, Expr::Column(_)) && !is_total(node))
    }
}

fn is_total(node: &Expr) -> bool {
    matches!(node, Expr::Column(name) if name.starts_with(PREFIX))
}

/// Whether a function that sees other rows is applied to a total, which is one value in polars and no column, or has one as
/// its parameter.
fn sees_rows_of_total(node: &Expr) -> bool {
    use FunctionExpr::{
        Diff, FillNullWithStrategy, PctChange, PeakMax, PeakMin, RollingExpr, Shift, ShiftAndFill,
    };
    let Expr::Function { input, function } = node else { return false };
    let sees_rows = matches!(
        function,
        Shift
            | ShiftAndFill
            | Diff(_)
            | PctChange
            | RollingExpr { .. }
            | FillNullWithStrategy(_)
            | PeakMin
            | PeakMax
    );
    let Some((values, parameters)) = input.split_first() else { return false };
    let columns = || values.into_iter().filter(|node| matches!(node, Expr::Column(_)));
    let of_total = columns().any(is_total) && columns().all(is_total);
    sees_rows && (of_total || parameters.iter().flatten().any(is_total))
}

/// The expression with a column for each aggregate of columns in it; an aggregate of an aggregate stays.
fn replaced(expression: Expr, totals: &mut Vec<Expr>) -> Expr {
    expression.map_expr(|node| {
        if !is_aggregate(&node) || node.into_iter().any(is_total) {
            return node;
        }
        let known = totals.iter().position(|known| matches!(known, Expr::Alias(inner, _) if **inner == node));
        let number = known.unwrap_or_else(|| {
            totals.push(node.clone().alias(format!("{PREFIX}{}", totals.len())));
            totals.len() - 1
        });
        col(format!("{PREFIX}{number}"))
    })
}
