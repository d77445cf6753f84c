//! Aggregates of the whole frame or of groups beside the values of rows.

use polars::prelude::{Expr, PolarsResult, Schema, WindowMapping, col};
use polars_plan::plans::visitor::{RewriteRecursion, RewritingVisitor, TreeWalker};
use polars_plan::prelude::FunctionExpr;

use crate::check;
use crate::error::Error;
use crate::frame::Frame;
use crate::kernel::aggregate::is_aggregate;
use crate::ops::over::{Over, column_of};
use crate::origin::Origin;
use crate::step::PartitionStep;

/// What begins the names of the columns that hold totals.
const PREFIX: &str = "__musher_total_";

/// Expressions whose aggregates were replaced by columns, and the frame that has these.
pub(super) struct Totals {
    pub(super) frame: Frame,
    pub(super) expressions: Vec<Expr>,
}

impl Frame {
    /// The aggregates in these expressions, and what is computed over groups, as columns, and the expressions over them; `None`
    /// if there are none.
    pub(super) fn with_totals(&self, expressions: &[Expr], origin: Origin) -> Result<Option<Totals>, Error> {
        let expanded = check::expand(self.nothing().select(expressions), origin)?;
        let mut parts = Parts { totals: Vec::new(), overs: Vec::new() };
        let wrong = |source| Error::Expression { operation: origin.operation, caller: origin.caller, source };
        let mut parted = Vec::with_capacity(expanded.len());
        for (name, expression) in expanded {
            let expression = expression.rewrite(&mut parts, &mut ()).map_err(wrong)?;
            if (&expression).into_iter().any(sees_rows_of_total) {
                return Ok(None);
            }
            parted.push(expression.alias(name));
        }
        let Parts { totals, overs } = parts;
        let mut frame = self.clone();
        for Over { keys, expressions } in &overs {
            frame = frame.over(keys, expressions.clone(), origin)?;
        }
        if totals.is_empty() {
            return Ok((!overs.is_empty()).then_some(Totals { frame, expressions: parted }));
        }
        let row = self.aggregate_at(&totals, origin)?;
        let mut schema = Schema::clone(&frame.schema);
        schema.merge(Schema::clone(&row.schema));
        let lengths = self.lengths.clone();
        let made = frame.then_with(PartitionStep::carry(1), &row, schema.into(), origin);
        let frame = Self { lengths, ..made };
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

/// Takes expressions apart: what needs more rows than a partition has becomes a column.
struct Parts {
    totals: Vec<Expr>,
    overs: Vec<Over>,
}

impl RewritingVisitor for Parts {
    type Node = Expr;
    type Arena = ();

    fn pre_visit(&mut self, node: &Expr, _: &mut ()) -> PolarsResult<RewriteRecursion> {
        Ok(match node {
            Expr::Over { partition_by, mapping: WindowMapping::GroupsToRows, .. }
                if !partition_by.is_empty() =>
            {
                RewriteRecursion::MutateAndStop
            }
            // Aggregates in there are of windows or of lists.
            Expr::Over { .. } | Expr::Rolling { .. } | Expr::Eval { .. } | Expr::StructEval { .. } => {
                RewriteRecursion::Stop
            }
            node if is_aggregate(node) => RewriteRecursion::MutateAndStop,
            _ => RewriteRecursion::NoMutateAndContinue,
        })
    }

    fn mutate(&mut self, node: Expr, _: &mut ()) -> PolarsResult<Expr> {
        if let Expr::Over { partition_by, .. } = &node {
            let keys = partition_by.clone();
            return Ok(column_of(&mut self.overs, &keys, node));
        }
        let is_known = |known: &Expr| matches!(known, Expr::Alias(inner, _) if **inner == node);
        let known = self.totals.iter().position(is_known);
        let number = known.unwrap_or_else(|| {
            self.totals.push(node.clone().alias(format!("{PREFIX}{}", self.totals.len())));
            self.totals.len() - 1
        });
        Ok(col(format!("{PREFIX}{number}")))
    }
}
