//! Aggregates from partial results: a polars aggregation is taken apart into state columns that a partition fills
//! (*partial*), that are merged with those of other partitions (*combine*), and from which the answer is computed
//! (*finish*).
//!
//! Each state is exact or as exact as floats allow, and merging is done in partition order, so the result depends
//! on the partitions only: integers are summed in 128 bits; floats in `f64`; a mean of floats is a sum and a
//! count; a variance keeps the count, a pivot near the mean, the mean's distance from it and the sum of squared
//! distances from the mean.
//! Lists of values carry what has no short state: distinct values, medians and quantiles.
//!
//! What is made of deviations from a mean is in [`moments`].

use polars::prelude::*;
use polars_plan::prelude::{
    AggExpr, BooleanFunction, CorrelationMethod, FunctionExpr, IR, is_elementwise_rec, is_row_separable_rec,
};

use crate::kernel::moments::{self, StateColumn, or_null, part};

/// What begins the names of state columns.
const PREFIX: &str = "__musher_state_";

/// How to compute aggregates from partial results.
#[derive(Debug, Clone)]
pub(crate) struct Decomposed {
    /// State columns from rows.
    pub(crate) partial: Vec<Expr>,
    /// State columns from state columns.
    pub(crate) combine: Vec<Expr>,
    /// Results from state columns, each with its name.
    pub(crate) finish: Vec<Expr>,
    /// Sums whose range is checked before they are narrowed.
    pub(crate) sums: Vec<WideSum>,
}

/// A sum kept in 128 bits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WideSum {
    /// The state column.
    pub(crate) column: PlSmallStr,
    /// What is summed, for the error.
    pub(crate) expression: String,
    /// The type of the result.
    pub(crate) dtype: DataType,
}

/// Why an aggregate cannot be taken apart.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// This part of this expression has no combinable state.
    Part {
        /// The whole expression.
        expression: String,
        /// The part.
        part: String,
    },
    /// This part of this expression is an aggregate of numbers over something else.
    Type {
        /// The whole expression.
        expression: String,
        /// The part.
        part: String,
        /// What it is over.
        dtype: DataType,
    },
    /// polars refused the expression.
    Polars(PolarsError),
}

impl From<PolarsError> for Refusal {
    fn from(error: PolarsError) -> Self {
        Self::Polars(error)
    }
}

/// Takes apart aggregations over a table of this schema; the expressions are expanded, one output each.
pub(crate) fn decompose(aggs: &[(PlSmallStr, Expr)], schema: &Schema) -> Result<Decomposed, Refusal> {
    let mut states = States { schema, states: Vec::new(), sums: Vec::new() };
    let mut finish = Vec::with_capacity(aggs.len());
    for (name, expression) in aggs {
        finish.push(states.take_apart(expression)?.alias(name.clone()));
    }
    Ok(Decomposed {
        partial: states.states.iter().map(|state| state.partial.clone()).collect(),
        combine: states.states.iter().map(|state| state.combine.clone()).collect(),
        finish,
        sums: states.sums,
    })
}

/// Which state of an input a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    IntegerSum,
    FloatSum,
    PlainSum,
    Count,
    Rows,
    Len,
    NullCount,
    Min {
        propagate_nans: bool,
    },
    Max {
        propagate_nans: bool,
    },
    First,
    Last,
    FirstNonNull,
    LastNonNull,
    Distinct,
    Values,
    NonNulls,
    Product,
    Any {
        ignore_nulls: bool,
    },
    All {
        ignore_nulls: bool,
    },
    /// Of deviations from the mean; with the third and fourth powers.
    Moments {
        higher: bool,
    },
    /// Of pairs of deviations.
    Products,
}

/// One state column, or one of several that make a state.
struct State {
    kind: Kind,
    input: Expr,
    name: PlSmallStr,
    partial: Expr,
    combine: Expr,
}

/// The state columns that are needed so far; equal ones are shared.
struct States<'a> {
    schema: &'a Schema,
    states: Vec<State>,
    sums: Vec<WideSum>,
}

/// Lists are joined without losing empty ones or nulls in them.
const KEEP: ExplodeOptions = ExplodeOptions { empty_as_null: false, keep_nulls: true };

impl States<'_> {
    /// The expression over state columns that gives the value of an aggregation.
    fn take_apart(&mut self, expression: &Expr) -> Result<Expr, Refusal> {
        let whole = || expression.to_string();
        let mut refused = None;
        let rewritten = expression.clone().try_map_expr(|node| match self.replace(node) {
            Ok(node) => Ok(node),
            Err(refusal) => {
                refused.get_or_insert(refusal);
                Err(PolarsError::ComputeError("not decomposable".into()))
            }
        });
        let rewritten = match (refused, rewritten) {
            (Some(Refusal::Part { part, .. }), _) => return Err(Refusal::Part { expression: whole(), part }),
            (Some(Refusal::Type { part, dtype, .. }), _) => {
                return Err(Refusal::Type { expression: whole(), part, dtype });
            }
            (Some(refusal), _) => return Err(refusal),
            (None, rewritten) => rewritten?,
        };
        let columns = || rewritten.into_iter().filter_map(column_name);
        let n_states = columns().filter(|name| name.starts_with(PREFIX)).count();
        let n_columns = columns().count();
        if n_states == n_columns && self.analyze_finish(&rewritten)?.row_wise {
            return Ok(rewritten);
        }
        // A row-wise expression is, as in polars, the list of its values.
        let facts = self.analyze(expression)?;
        if n_states == 0 && facts.row_separable {
            let values = self.state(Kind::Values, expression, &facts.dtype);
            return Ok(col(values));
        }
        Err(Refusal::Part { expression: whole(), part: whole() })
    }

    /// The replacement of one node whose children are replaced already.
    fn replace(&mut self, node: Expr) -> Result<Expr, Refusal> {
        let refuse = |part| Err(Refusal::Part { expression: String::new(), part });
        if node == Expr::Len {
            return Ok(col(self.state(Kind::Rows, &node, &IDX_DTYPE)));
        }
        if let Some((method, [x, y])) = correlated(&node) {
            return self.of_pairs(method, &node, x, y);
        }
        let Some((wanted, input)) = wanted_of(&node) else { return Ok(node) };
        if input.into_iter().filter_map(column_name).any(|name| name.starts_with(PREFIX)) {
            return refuse("an aggregate of an aggregate".to_owned());
        }
        match wanted {
            Some(wanted) => {
                let result = self.analyze(&node)?.dtype;
                self.of_input(wanted, &node, input, result)
            }
            None => refuse(node.to_string()),
        }
    }

    fn of_input(
        &mut self,
        wanted: Wanted,
        node: &Expr,
        input: &Expr,
        result: DataType,
    ) -> Result<Expr, Refusal> {
        let refuse = || Refusal::Part { expression: String::new(), part: node.to_string() };
        let facts = self.analyze(input)?;
        if !facts.row_separable || !facts.has_column {
            return Err(refuse());
        }
        let dtype = &facts.dtype;
        let wrong_type =
            || Refusal::Type { expression: String::new(), part: node.to_string(), dtype: dtype.clone() };
        Ok(match wanted {
            Wanted::Simple(kind) => col(self.state(kind, input, dtype)),
            Wanted::Element(kind) => {
                let list = col(self.state(kind, input, dtype)).list();
                if matches!(kind, Kind::Last | Kind::LastNonNull) { list.last() } else { list.first() }
            }
            Wanted::Sum => self.sum(input, dtype).ok_or_else(wrong_type)?,
            Wanted::Product if dtype.is_float() => col(self.state(Kind::Product, input, dtype)),
            Wanted::Product => return Err(refuse()),
            Wanted::Mean if is_number(dtype) => {
                let sum = if dtype.is_float() { Kind::FloatSum } else { Kind::IntegerSum };
                let sum = col(self.state(sum, input, dtype)).cast(DataType::Float64);
                let count = col(self.state(Kind::Count, input, dtype));
                let mean = sum / count.clone().cast(DataType::Float64);
                or_null(count.gt(lit(0_i64)), mean).cast(result)
            }
            Wanted::Mean => return Err(wrong_type()),
            Wanted::Moment { root, ddof } if is_number(dtype) => {
                let state = self.state(Kind::Moments { higher: false }, input, dtype);
                let ddof = lit(i64::from(ddof));
                let degrees = (col(part(&state, "n")) - ddof.clone()).cast(DataType::Float64);
                let variance = or_null(col(part(&state, "n")).gt(ddof), col(part(&state, "m")) / degrees);
                if root { variance.sqrt().cast(result) } else { variance.cast(result) }
            }
            Wanted::Skew { bias } if is_number(dtype) => {
                let state = self.state(Kind::Moments { higher: true }, input, dtype);
                moments::skew(&state, bias).cast(result)
            }
            Wanted::Kurtosis { fisher, bias } if is_number(dtype) => {
                let state = self.state(Kind::Moments { higher: true }, input, dtype);
                moments::kurtosis(&state, fisher, bias).cast(result)
            }
            Wanted::Moment { .. } | Wanted::Skew { .. } | Wanted::Kurtosis { .. } => return Err(wrong_type()),
            Wanted::Distinct => {
                col(self.state(Kind::Distinct, input, dtype)).list().len().cast(DataType::Int64)
            }
            Wanted::Median => col(self.state(Kind::NonNulls, input, dtype)).list().median().cast(result),
            Wanted::Quantile { at, method } => {
                check_quantile(&at)?;
                let values = col(self.state(Kind::NonNulls, input, dtype));
                values.list().eval(Expr::Element.quantile(at, method)).list().first().cast(result)
            }
        })
    }

    /// The covariance or correlation of two inputs.
    fn of_pairs(
        &mut self,
        method: &CorrelationMethod,
        node: &Expr,
        x: &Expr,
        y: &Expr,
    ) -> Result<Expr, Refusal> {
        let refuse = || Refusal::Part { expression: String::new(), part: node.to_string() };
        let is_state = |name: &PlSmallStr| name.starts_with(PREFIX);
        let result = self.analyze(node)?.dtype;
        for input in [x, y] {
            if input.into_iter().filter_map(column_name).any(is_state) {
                return Err(refuse());
            }
            let facts = self.analyze(input)?;
            if !facts.row_wise || !facts.has_column {
                return Err(refuse());
            }
            if !is_number(&facts.dtype) {
                let (part, dtype) = (node.to_string(), facts.dtype);
                return Err(Refusal::Type { expression: String::new(), part, dtype });
            }
        }
        let pair = as_struct(vec![x.clone(), y.clone()]);
        let known = self.states.iter().find(|state| state.kind == Kind::Products && state.input == pair);
        let known = known.map(|state| state.name.clone());
        let name = known.unwrap_or_else(|| {
            let name: PlSmallStr = format!("{PREFIX}{}", self.states.len()).into();
            self.push(Kind::Products, &pair, &name, moments::products(&name, x, y));
            name
        });
        match method {
            CorrelationMethod::Covariance(ddof) => Ok(moments::covariance(&name, *ddof).cast(result)),
            CorrelationMethod::Pearson => Ok(moments::correlation(&name).cast(result)),
            // Ranks are of all values.
            CorrelationMethod::SpearmanRank(_) => Err(refuse()),
        }
    }

    /// A sum in the type of its result; `None` for types that have none.
    fn sum(&mut self, input: &Expr, dtype: &DataType) -> Option<Expr> {
        let result = match dtype {
            DataType::UInt64 | DataType::Int128 | DataType::Duration(_) => dtype.clone(),
            dtype if dtype.is_integer() || dtype.is_bool() => DataType::Int64,
            dtype if dtype.is_float() => {
                return Some(col(self.state(Kind::FloatSum, input, dtype)).cast(dtype.clone()));
            }
            DataType::Decimal(..) => return Some(col(self.state(Kind::PlainSum, input, dtype))),
            _ => return None,
        };
        let column = self.state(Kind::IntegerSum, input, dtype);
        let checked = match &result {
            DataType::Int128 => return Some(col(column)),
            DataType::Duration(_) => DataType::Int64,
            other => other.clone(),
        };
        let sum =
            WideSum { column: column.clone(), expression: format!("{input}.sum()"), dtype: checked.clone() };
        if !self.sums.contains(&sum) {
            self.sums.push(sum);
        }
        Some(col(column).cast(checked).cast(result))
    }

    /// The name of the column that holds this state of this input; made if it is new.
    fn state(&mut self, kind: Kind, input: &Expr, dtype: &DataType) -> PlSmallStr {
        if let Some(known) = self.states.iter().find(|state| state.kind == kind && state.input == *input) {
            return known.name.clone();
        }
        let name: PlSmallStr = format!("{PREFIX}{}", self.states.len()).into();
        let columns = match kind {
            Kind::Moments { higher } => moments::moments(&name, input, higher),
            kind => {
                let (partial, combine) = formulas(kind, input.clone(), dtype, col(name.clone()));
                vec![(name.clone(), partial, combine)]
            }
        };
        self.push(kind, input, &name, columns);
        name
    }

    /// The columns of a state of several, of which the first one is found again and names all.
    fn push(&mut self, kind: Kind, input: &Expr, name: &PlSmallStr, columns: Vec<StateColumn>) {
        for (at, (column, partial, combine)) in columns.into_iter().enumerate() {
            self.states.push(State {
                kind,
                input: if at == 0 { input.clone() } else { col(column.clone()) },
                name: name.clone(),
                partial: partial.alias(column.clone()),
                combine: combine.alias(column),
            });
        }
    }

    fn analyze(&self, expression: &Expr) -> Result<Facts, Refusal> {
        Ok(analyze(self.schema, expression)?)
    }

    /// The same for an expression over the state columns.
    fn analyze_finish(&self, expression: &Expr) -> Result<Facts, Refusal> {
        let partial: Vec<Expr> = self.states.iter().map(|state| state.partial.clone()).collect();
        let schema = DataFrame::empty_with_schema(self.schema).lazy().select(partial).collect_schema()?;
        Ok(analyze(&schema, expression)?)
    }
}

/// Refuses a quantile that is not from 0 to 1, of which polars makes a missing value inside a list.
fn check_quantile(at: &Expr) -> Result<(), Refusal> {
    let numbers = DataFrame::empty().lazy().select([at.clone().cast(DataType::Float64)]).collect()?;
    match numbers.columns()[0].f64()?.iter().find(|at| !at.is_some_and(|at| (0.0..=1.0).contains(&at))) {
        Some(wrong) => {
            let wrong = wrong.map_or("missing".to_owned(), |at| at.to_string());
            Err(Refusal::Polars(polars_err!(InvalidOperation: "the quantile {wrong} is not from 0 to 1")))
        }
        None => Ok(()),
    }
}

/// What means and moments are of.
pub(crate) fn is_number(dtype: &DataType) -> bool {
    dtype.is_integer() || dtype.is_float() || dtype.is_bool()
}

fn column_name(node: &Expr) -> Option<&PlSmallStr> {
    match node {
        Expr::Column(name) => Some(name),
        _ => None,
    }
}

/// How a state column is filled from rows, and how it is merged (`state` is the column itself).
fn formulas(kind: Kind, x: Expr, dtype: &DataType, state: Expr) -> (Expr, Expr) {
    let joined = || state.clone().explode(KEEP);
    // The lists that hold something: a partition without rows, or without matching ones, has an empty list.
    let filled = || state.clone().filter(state.clone().list().len().gt(lit(0)));
    match kind {
        // Up to 2^32 numbers of 32 bits fit 64 bits; longer ones are summed in 128.
        Kind::IntegerSum if is_narrow(dtype) => {
            (x.cast(DataType::Int64).sum().cast(DataType::Int128), state.clone().sum())
        }
        Kind::IntegerSum if dtype.is_duration() => {
            (x.cast(DataType::Int64).cast(DataType::Int128).sum(), state.clone().sum())
        }
        Kind::IntegerSum => (x.cast(DataType::Int128).sum(), state.clone().sum()),
        Kind::FloatSum => (x.cast(DataType::Float64).sum(), state.clone().sum()),
        Kind::PlainSum => (x.sum(), state.clone().sum()),
        Kind::Count => (x.count().cast(DataType::Int64), state.clone().sum()),
        Kind::Rows => (x.cast(DataType::Int64), state.clone().sum()),
        Kind::Len => (x.len().cast(DataType::Int64), state.clone().sum()),
        Kind::NullCount => (x.null_count().cast(DataType::Int64), state.clone().sum()),
        Kind::Min { propagate_nans: false } => (x.min(), state.clone().min()),
        Kind::Min { propagate_nans: true } => (x.nan_min(), state.clone().nan_min()),
        Kind::Max { propagate_nans: false } => (x.max(), state.clone().max()),
        Kind::Max { propagate_nans: true } => (x.nan_max(), state.clone().nan_max()),
        Kind::First => (x.head(Some(1)).implode(true), filled().first()),
        Kind::Last => (x.tail(Some(1)).implode(true), filled().last()),
        Kind::FirstNonNull => (x.drop_nulls().head(Some(1)).implode(true), filled().first()),
        Kind::LastNonNull => (x.drop_nulls().tail(Some(1)).implode(true), filled().last()),
        Kind::Distinct => (x.unique_stable().implode(true), joined().unique_stable().implode(true)),
        Kind::Values => (x.implode(true), joined().implode(true)),
        Kind::NonNulls => {
            // Lists of booleans have no quantiles.
            let x = if dtype.is_bool() { x.cast(DataType::Float64) } else { x };
            (x.drop_nulls().implode(true), joined().implode(true))
        }
        Kind::Product => (x.product(), state.clone().product()),
        Kind::Any { ignore_nulls } => (x.any(ignore_nulls), state.clone().any(ignore_nulls)),
        Kind::All { ignore_nulls } => (x.all(ignore_nulls), state.clone().all(ignore_nulls)),
        Kind::Moments { .. } | Kind::Products => unreachable!("they fill several columns"),
    }
}

fn is_narrow(dtype: &DataType) -> bool {
    use DataType::{Boolean, Int8, Int16, Int32, UInt8, UInt16, UInt32};
    matches!(dtype, Boolean | Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32)
}

/// What is asked of an input.
enum Wanted {
    /// The state itself.
    Simple(Kind),
    /// The only element of a list of at most one.
    Element(Kind),
    Sum,
    Product,
    Mean,
    Moment {
        root: bool,
        ddof: u8,
    },
    Skew {
        bias: bool,
    },
    Kurtosis {
        fisher: bool,
        bias: bool,
    },
    Distinct,
    Median,
    Quantile {
        at: Expr,
        method: QuantileMethod,
    },
}

/// The two inputs of a covariance or correlation.
fn correlated(node: &Expr) -> Option<(&CorrelationMethod, [&Expr; 2])> {
    match node {
        Expr::Function { input, function: FunctionExpr::Correlation { method } } => match input.as_slice() {
            [x, y] => Some((method, [x, y])),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a node is an aggregate of columns that partial results give, or the number of rows.
pub(crate) fn is_aggregate(node: &Expr) -> bool {
    let reads_column = |input: &Expr| input.into_iter().any(|node| matches!(node, Expr::Column(_)));
    if let Some((_, inputs)) = correlated(node) {
        return inputs.into_iter().any(reads_column);
    }
    *node == Expr::Len || matches!(wanted_of(node), Some((Some(_), input)) if reads_column(input))
}

/// If a node aggregates: what it wants (`None` if that cannot be taken apart) of which input.
fn wanted_of(node: &Expr) -> Option<(Option<Wanted>, &Expr)> {
    let (input, function) = match node {
        Expr::Agg(agg) => return Some(wanted_of_agg(agg)),
        Expr::Function { input, function } => (input, function),
        _ => return None,
    };
    let wanted = match function {
        FunctionExpr::NullCount => Some(Wanted::Simple(Kind::NullCount)),
        FunctionExpr::Product => Some(Wanted::Product),
        FunctionExpr::Skew(bias) => Some(Wanted::Skew { bias: *bias }),
        FunctionExpr::Kurtosis(fisher, bias) => Some(Wanted::Kurtosis { fisher: *fisher, bias: *bias }),
        FunctionExpr::Quantile { method } => {
            let at = input.get(1).filter(|at| matches!(at, Expr::Literal(_)));
            at.map(|at| Wanted::Quantile { at: at.clone(), method: *method })
        }
        FunctionExpr::Boolean(BooleanFunction::Any { ignore_nulls }) => {
            Some(Wanted::Simple(Kind::Any { ignore_nulls: *ignore_nulls }))
        }
        FunctionExpr::Boolean(BooleanFunction::All { ignore_nulls }) => {
            Some(Wanted::Simple(Kind::All { ignore_nulls: *ignore_nulls }))
        }
        _ => return None,
    };
    Some((wanted, input.first()?))
}

fn wanted_of_agg(agg: &AggExpr) -> (Option<Wanted>, &Expr) {
    use Wanted::{Element, Simple};
    match agg {
        AggExpr::Min { input, propagate_nans } => {
            (Some(Simple(Kind::Min { propagate_nans: *propagate_nans })), input)
        }
        AggExpr::Max { input, propagate_nans } => {
            (Some(Simple(Kind::Max { propagate_nans: *propagate_nans })), input)
        }
        AggExpr::Median(input) => (Some(Wanted::Median), input),
        AggExpr::NUnique(input) => (Some(Wanted::Distinct), input),
        AggExpr::First(input) => (Some(Element(Kind::First)), input),
        AggExpr::FirstNonNull(input) => (Some(Element(Kind::FirstNonNull)), input),
        AggExpr::Last(input) => (Some(Element(Kind::Last)), input),
        AggExpr::LastNonNull(input) => (Some(Element(Kind::LastNonNull)), input),
        AggExpr::Mean(input) => (Some(Wanted::Mean), input),
        AggExpr::Implode { input, .. } => (Some(Simple(Kind::Values)), input),
        AggExpr::Count { input, include_nulls: false } => (Some(Simple(Kind::Count)), input),
        AggExpr::Count { input, include_nulls: true } => (Some(Simple(Kind::Len)), input),
        AggExpr::Sum(input) => (Some(Wanted::Sum), input),
        AggExpr::Std(input, ddof) => (Some(Wanted::Moment { root: true, ddof: *ddof }), input),
        AggExpr::Var(input, ddof) => (Some(Wanted::Moment { root: false, ddof: *ddof }), input),
        AggExpr::Item { input, .. } | AggExpr::AggGroups(input) => (None, input),
    }
}

/// What polars knows of an expression over a schema.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Type of its values.
    pub(crate) dtype: DataType,
    /// Whether each row's value depends on that row only.
    pub(crate) row_wise: bool,
    /// The same, rows perhaps being dropped or repeated.
    pub(crate) row_separable: bool,
    /// Whether it reads a column at all.
    pub(crate) has_column: bool,
}

/// Asks polars about an expression over a table of this schema.
pub(crate) fn analyze(schema: &Schema, expression: &Expr) -> PolarsResult<Facts> {
    let lazy = DataFrame::empty_with_schema(schema).lazy().select([expression.clone()]);
    let dtype = lazy.clone().collect_schema()?.get_at_index(0).map(|(_, dtype)| dtype.clone());
    let plan = lazy.to_alp()?;
    let IR::Select { expr, .. } = plan.lp_arena.get(plan.lp_top) else {
        polars_bail!(ComputeError: "polars planned {} as something else than a selection", expression)
    };
    Ok(Facts {
        dtype: dtype.unwrap_or(DataType::Null),
        row_wise: expr.iter().all(|expr| is_elementwise_rec(expr.node(), &plan.expr_arena)),
        row_separable: expr.iter().all(|expr| is_row_separable_rec(expr.node(), &plan.expr_arena)),
        has_column: expression.into_iter().any(|node| matches!(node, Expr::Column(_) | Expr::Selector(_))),
    })
}

/// The expression with sums of integers in 128 bits that fail, instead of polars' own that wrap, where they do not fit the
/// type that polars gives them.
pub(crate) fn sums_that_fail(expression: Expr, schema: &Schema) -> Expr {
    expression.map_expr(|node| {
        let Expr::Agg(AggExpr::Sum(input)) = &node else { return node };
        match (analyze(schema, input), analyze(schema, &node)) {
            (Ok(of), Ok(sum)) if of.dtype.is_integer() && sum.dtype.is_integer() => {
                input.as_ref().clone().cast(DataType::Int128).sum().strict_cast(sum.dtype)
            }
            _ => node,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> DataFrame {
        let n = 23_i64;
        let row = 0..n;
        df!(
            "key" => row.clone().map(|i| ["b", "a", "c", "a"][(i % 4) as usize]).collect::<Vec<_>>(),
            "small" => row.clone().map(|i| (i % 5 != 3).then_some((i * 7 - 40) as i8)).collect::<Vec<_>>(),
            "int" => row.clone().map(|i| (i % 7 != 2).then_some(i * i - 50)).collect::<Vec<_>>(),
            "unsigned" => row.clone().map(|i| i as u64).collect::<Vec<_>>(),
            "float" => row.clone().map(|i| match i { 6 => None, 9 => Some(f64::NAN), i => Some(i as f64 / 3.0) })
                .collect::<Vec<_>>(),
            "near" => row.clone().map(|i| 1e8 + (i % 3) as f64).collect::<Vec<_>>(),
            "f32" => row.clone().map(|i| (i % 2 == 0).then_some(i as f32 / 7.0)).collect::<Vec<_>>(),
            "flag" => row.clone().map(|i| (i % 6 != 0).then_some(i % 3 == 0)).collect::<Vec<_>>(),
            "text" => row.map(|i| (i % 4 != 1).then(|| format!("t{}", i % 3))).collect::<Vec<_>>(),
            "void" => vec![None::<f64>; n as usize],
        )
        .unwrap()
    }

    /// Every aggregate that can be taken apart.
    fn aggregates() -> Vec<Expr> {
        let mut aggs = vec![len().alias("len")];
        for name in ["small", "int", "unsigned", "float", "near", "f32", "flag", "void"] {
            let x = || col(name);
            let named = |expr: Expr, what: &str| expr.alias(format!("{name}.{what}"));
            aggs.extend([
                named(x().sum(), "sum"),
                named(x().mean(), "mean"),
                named(x().std(1), "std"),
                named(x().var(0), "var"),
                named(x().skew(true), "skew"),
                named(x().skew(false), "skew_unbiased"),
                named(x().kurtosis(true, true), "kurtosis"),
                named(x().kurtosis(false, false), "kurtosis_unbiased"),
                named(x().median(), "median"),
                named(x().min(), "min"),
                named(x().max(), "max"),
                named(x().first(), "first"),
                named(x().last_non_null(), "last_non_null"),
                named(x().n_unique(), "n_unique"),
            ]);
        }
        aggs.extend([
            col("text").min().alias("text.min"),
            col("text").max().alias("text.max"),
            col("text").first().alias("text.first"),
            col("text").last().alias("text.last"),
            col("text").first_non_null().alias("text.first_non_null"),
            col("text").count().alias("text.count"),
            col("text").len().alias("text.len"),
            col("text").null_count().alias("text.null_count"),
            col("text").n_unique().alias("text.n_unique"),
            col("text").implode(true).alias("text.implode"),
            pearson_corr(col("int"), col("f32")).alias("corr"),
            pearson_corr(col("unsigned"), col("near")).alias("near.corr"),
            (cov(col("int"), col("small"), 0) / col("int").var(0)).alias("slope"),
            col("float").nan_max().alias("nan_max"),
            col("float").nan_min().alias("nan_min"),
            col("int").quantile(lit(0.3), QuantileMethod::Linear).alias("quantile"),
            col("near").product().alias("product"),
            col("flag").any(true).alias("any"),
            col("flag").all(false).alias("all"),
            col("int").filter(col("flag")).first().alias("filtered"),
            (col("int") * lit(2) + col("unsigned").cast(DataType::Int64)).sum().alias("inner"),
            ((col("int").max() - col("int").min()) / col("int").count().cast(DataType::Int64)).alias("outer"),
            when(col("int").sum().gt(lit(0))).then(col("int").mean()).otherwise(lit(-1.0)).alias("when"),
            col("float").mean().round(2, RoundMode::HalfToEven).alias("round"),
        ]);
        aggs
    }

    fn named(aggs: &[Expr]) -> Vec<(PlSmallStr, Expr)> {
        let split = |expr: &Expr| match expr {
            Expr::Alias(inner, name) => (name.clone(), (**inner).clone()),
            other => panic!("{other}"),
        };
        aggs.iter().map(split).collect()
    }

    /// Partial, two levels of combine and finish over `n` partitions of a table.
    fn by_parts(table: &DataFrame, keys: &[Expr], plan: &Decomposed, n: usize) -> DataFrame {
        let group = |lazy: LazyFrame, exprs: &[Expr]| match keys {
            [] => lazy.select(exprs),
            keys => lazy.group_by_stable(keys).agg(exprs),
        };
        let height = table.height();
        let partials: Vec<DataFrame> = (0..n)
            .map(|i| (i * height / n, (i + 1) * height / n))
            .map(|(from, to)| {
                group(table.slice(from as i64, to - from).lazy(), &plan.partial).collect().unwrap()
            })
            .collect();
        let pairs: Vec<DataFrame> = partials
            .chunks(2)
            .map(|pair| {
                group(crate::border::stack(String::new, pair).unwrap().lazy(), &plan.combine)
                    .collect()
                    .unwrap()
            })
            .collect();
        let combined = group(crate::border::stack(String::new, &pairs).unwrap().lazy(), &plan.combine);
        combined.select([keys, &plan.finish].concat()).collect().unwrap()
    }

    fn assert_close(found: &DataFrame, expected: &DataFrame, what: &str) {
        assert_eq!(found.get_column_names(), expected.get_column_names(), "{what}");
        assert_eq!(found.height(), expected.height(), "{what}");
        for (found, expected) in found.columns().iter().zip(expected.columns()) {
            let name = found.name();
            if !expected.dtype().is_float() {
                // Counts and sums are wider than polars' own.
                let expected = expected.cast(found.dtype()).unwrap();
                assert!(found.equals_missing(&expected), "{what}: {name}: {found:?} {expected:?}");
                continue;
            }
            assert_eq!(found.dtype(), expected.dtype(), "{what}: {name}");
            let tolerance = match name.as_str() {
                // polars loses digits of a variance where the mean is large.
                "near.std" | "near.var" | "near.corr" => 1e-8,
                // Third and fourth powers of numbers near 1e8 in polars.
                _ if name.starts_with("near.") => 1e-6,
                _ if expected.dtype() == &DataType::Float32 => 1e-6,
                _ => 1e-12,
            };
            // Where terms of both signs cancel.
            let cancels = ["skew", "kurtosis", "corr", "slope"].iter().any(|part| name.contains(part));
            let least = if cancels { 1.0 } else { 0.0 };
            let values = |column: &Column| {
                let column = column.cast(&DataType::Float64).unwrap();
                column.f64().unwrap().iter().collect::<Vec<_>>()
            };
            for (found, expected) in values(found).into_iter().zip(values(expected)) {
                let close = match (found, expected) {
                    (None, None) => true,
                    (Some(a), Some(b)) if a.is_nan() || b.is_nan() => a.is_nan() && b.is_nan(),
                    (Some(a), Some(b)) => a == b || (a - b).abs() <= tolerance * b.abs().max(least),
                    _ => false,
                };
                assert!(close, "{what}: {name}: {found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn every_aggregate_equals_polars_over_all_partition_counts() {
        let aggs = aggregates();
        for table in [table(), table().head(Some(1)), table().head(Some(0))] {
            let plan = decompose(&named(&aggs), table.schema()).unwrap();
            let by_key = table.clone().lazy().group_by_stable([col("key")]).agg(&aggs).collect().unwrap();
            let global = table.clone().lazy().select(&aggs).collect().unwrap();
            for n in [1, 2, 3, 7, 30] {
                let what = format!("{} rows, {n} partitions", table.height());
                assert_close(&by_parts(&table, &[col("key")], &plan, n), &by_key, &what);
                assert_close(&by_parts(&table, &[], &plan, n), &global, &what);
            }
        }
    }

    #[test]
    fn equal_states_are_kept_once() {
        let aggs = named(&[
            col("int").mean().alias("a"),
            col("int").sum().alias("b"),
            col("int").count().alias("c"),
            col("int").std(1).alias("d"),
            col("int").var(0).alias("e"),
        ]);
        assert_eq!(decompose(&aggs, table().schema()).unwrap().partial.len(), 2 + 4);
    }

    #[test]
    fn what_needs_all_rows_at_once_is_refused_by_name() {
        for (expression, named_part) in [
            (col("int").sort(SortOptions::default()).first(), "first"),
            (col("int").mode(true), "mode"),
            (col("int") - col("int").mean(), "int"),
            (col("int").sum().max(), "aggregate of an aggregate"),
            (col("int").cum_sum(false).last(), "last"),
            (lit(1).sum(), "sum"),
            (col("int").product(), "product"),
        ] {
            match decompose(&[("x".into(), expression)], table().schema()) {
                Err(Refusal::Part { part, .. }) => assert!(part.contains(named_part), "{part}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_variance_of_numbers_far_from_zero_is_exact_to_twelve_digits() {
        // Mean 1e8, spread 1: naive sums of squares lose everything.
        let values: Vec<f64> = (0..100_000_u64).map(|i| 1e8 + ((i * 7919) % 1000) as f64 / 500.0).collect();
        let offsets: Vec<f64> = values.iter().map(|x| x - 1e8).collect();
        let mean = offsets.iter().sum::<f64>() / offsets.len() as f64;
        let exact = offsets.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (offsets.len() - 1) as f64;
        let table = df!("x" => values).unwrap();
        let plan = decompose(&[("v".into(), col("x").var(1))], table.schema()).unwrap();
        for n in [1, 4, 17] {
            let found = by_parts(&table, &[], &plan, n);
            let found = found.column("v").unwrap().f64().unwrap().get(0).unwrap();
            assert!(((found - exact) / exact).abs() < 1e-12, "{n}: {found} {exact}");
        }
    }
}
