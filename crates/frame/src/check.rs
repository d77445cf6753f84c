//! What can be told before anything runs: whether expressions fit a schema, and whether partitions may be computed
//! apart.

mod instead;
mod window;

use polars::prelude::{DataFrame, DataType, Expr, IntoLazy, LazyFrame, PlSmallStr, Schema, SchemaRef};
use polars_plan::plans::expr_ir::ExprIR;
use polars_plan::prelude::{AExpr, Arena, IR, IRPlan, Node, is_elementwise_rec};

use crate::border::{guard, schema_of};
use crate::error::{Difference, Error};
use crate::origin::Origin;

pub(crate) use window::Window;

/// How deep an expression may be nested: polars' planner takes more than quadratic time, and it drops expressions
/// by recursion, also on threads of small stacks.
const DEEPEST: usize = 256;

/// Refuses expressions that are nested too deeply.
pub(crate) fn depth(expressions: &[Expr], origin: Origin) -> Result<(), Error> {
    let mut deepest = 0;
    let mut pending: Vec<(&Expr, usize)> = expressions.iter().map(|expression| (expression, 1)).collect();
    while let Some((expression, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        let mut children = Default::default();
        expression.nodes(&mut children);
        pending.extend(children.iter().map(|&child| (child, depth + 1)));
    }
    if deepest <= DEEPEST {
        return Ok(());
    }
    Err(Error::TooDeep { operation: origin.operation, depth: deepest, limit: DEEPEST, caller: origin.caller })
}

/// The lazy frame of a table of this schema without rows.
pub(crate) fn empty(schema: &Schema) -> LazyFrame {
    DataFrame::empty_with_schema(schema).lazy()
}

/// The schema that a step over an empty table resolves to.
pub(crate) fn resolve(mut lazy: LazyFrame, origin: Origin) -> Result<SchemaRef, Error> {
    schema_of(&mut lazy).map_err(|source| Error::Expression {
        operation: origin.operation,
        caller: origin.caller,
        source,
    })
}

/// Refuses expressions that fail for these types whatever the values: polars resolves the schema of a text compared with
/// a number, or of the year of a number, and fails when it runs.
///
/// They are run on no row and on a row of missing values, because some fail on either one alone (those that look for the
/// first value, for example). A function of the user's is not run before its time.
pub(crate) fn types(
    schema: &Schema,
    expressions: &[Expr],
    origin: Origin,
    step: impl Fn(LazyFrame) -> LazyFrame,
) -> Result<(), Error> {
    let is_users = |node: &Expr| matches!(node, Expr::AnonymousFunction { .. } | Expr::RenameAlias { .. });
    if expressions.iter().flatten().any(is_users) {
        return Ok(());
    }
    let wrong = |source| Error::Expression { operation: origin.operation, caller: origin.caller, source };
    let run = |table: DataFrame| guard(String::new, wrong, || step(table.lazy()).collect()).err();
    let (none, missing) = (DataFrame::empty_with_schema(schema), || DataFrame::full_null(schema, 1));
    match run(none) {
        Some(error @ Error::Expression { .. }) if run(missing()).is_some() => Err(error),
        _ => Ok(()),
    }
}

/// Refuses a selection (`lazy` is `select` or `with_columns` over an empty table) in which an expression needs
/// other rows than its own.
///
/// A selection must also follow the rows: literals alone would be one row a partition.
pub(crate) fn row_wise(lazy: LazyFrame, origin: Origin) -> Result<(), Error> {
    selection(lazy, origin, |node, arena| is_elementwise_rec(node, arena).then(Window::default)).map(drop)
}

/// The rows beside its own that a selection needs, which are so many before and behind; refuses it if others are needed.
pub(crate) fn window(lazy: LazyFrame, origin: Origin) -> Result<Window, Error> {
    selection(lazy, origin, Window::of)
}

/// The largest window of the expressions of a selection.
fn selection(
    lazy: LazyFrame,
    origin: Origin,
    window_of: impl Fn(Node, &Arena<AExpr>) -> Option<Window>,
) -> Result<Window, Error> {
    let plan = planned(lazy, origin)?;
    let (expressions, alone) = match plan.lp_arena.get(plan.lp_top) {
        IR::Select { expr, .. } => (expr.as_slice(), true),
        IR::HStack { exprs, .. } => (exprs.as_slice(), false),
        // polars plans a selection of plain columns as nothing more than that.
        _ => return Ok(Window::default()),
    };
    let refuse = |expression: &ExprIR| Error::NotRowWise {
        operation: origin.operation,
        expression: expression.to_expr(&plan.expr_arena).to_string(),
        instead: instead::instead(expression, &plan.expr_arena),
        caller: origin.caller,
    };
    let mut window = Window::default();
    for expression in expressions {
        let own = window_of(expression.node(), &plan.expr_arena).ok_or_else(|| refuse(expression))?;
        window = window.max(own);
    }
    match expressions.first() {
        Some(first) if alone && !expressions.iter().any(|one| reads_column(one, &plan)) => Err(refuse(first)),
        _ => Ok(window),
    }
}

fn reads_column(expression: &ExprIR, plan: &IRPlan) -> bool {
    let mut pending = vec![expression.node()];
    while let Some(node) = pending.pop() {
        let node = plan.expr_arena.get(node);
        if matches!(node, AExpr::Column(_)) {
            return true;
        }
        node.inputs_rev(&mut pending);
    }
    false
}

/// Keys and aggregates of a group-by over an empty table, or the outputs of a selection, expanded to one
/// expression each (`all()` becomes the columns), with their names and without casts of polars'.
pub(crate) fn expand(lazy: LazyFrame, origin: Origin) -> Result<Vec<(PlSmallStr, Expr)>, Error> {
    let plan = planned(lazy.with_type_coercion(false).with_simplify_expr(false), origin)?;
    let named = |expressions: &[ExprIR]| {
        let named = expressions.iter();
        named.map(|e| (e.output_name().clone(), unaliased(e.to_expr(&plan.expr_arena)))).collect()
    };
    Ok(match plan.lp_arena.get(plan.lp_top) {
        IR::Select { expr, .. } => named(expr),
        IR::GroupBy { aggs, .. } => named(aggs),
        IR::SimpleProjection { columns, .. } => {
            columns.iter_names().map(|name| (name.clone(), polars::prelude::col(name.clone()))).collect()
        }
        _ => Vec::new(),
    })
}

fn unaliased(expression: Expr) -> Expr {
    match expression {
        Expr::Alias(inner, _) => (*inner).clone(),
        other => other,
    }
}

fn planned(lazy: LazyFrame, origin: Origin) -> Result<IRPlan, Error> {
    let wrong = |source| Error::Expression { operation: origin.operation, caller: origin.caller, source };
    guard(|| format!("{}: {}", origin.caller, origin.operation), wrong, || lazy.to_alp())
}

/// Whether two schemas have the same columns in the same order.
pub(crate) fn compare_schemas(expected: &Schema, found: &Schema) -> Result<(), Box<Difference>> {
    let at = |schema: &Schema, position| {
        schema
            .get_at_index(position)
            .map(|(name, dtype): (&PlSmallStr, &DataType)| (name.to_string(), dtype.clone()))
    };
    for position in 0..expected.len().max(found.len()) {
        let (expected, found) = (at(expected, position), at(found, position));
        if expected != found {
            return Err(Box::new(Difference { position, expected, found }));
        }
    }
    Ok(())
}
