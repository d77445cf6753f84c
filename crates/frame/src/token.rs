//! Fingerprints of polars expressions, types and tables.
//!
//! polars hashes the shape of an expression, but of literals and functions only which kind they are; those are
//! entered here by their contents. What holds a closure or draws an unseeded random number has a fresh identity.

use std::hash::{Hash, Hasher};

use musher_graph_core::{Token, Tokenizer};
use polars::prelude::{AnyValue, DataFrame, Expr, LiteralValue, Schema};
use polars_plan::prelude::DynLiteralValue;

use crate::border;

/// Bytes that are hashed, on their way into a tokenizer.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Enters expressions.
pub(crate) fn expressions(expressions: &[Expr], tokenizer: &mut Tokenizer) {
    expressions.len().token(tokenizer);
    for expression in expressions {
        let mut shape = Bytes::default();
        expression.hash(&mut shape);
        tokenizer.bytes(&shape.0);
        for node in expression {
            enter_node(node, tokenizer);
        }
    }
}

fn enter_node(node: &Expr, tokenizer: &mut Tokenizer) {
    match node {
        Expr::Literal(literal) => enter_literal(literal, tokenizer),
        Expr::Function { function, .. } => {
            let text = format!("{function:?}");
            if ["PlanCallback", "no_eq", "seed: None"].iter().any(|opaque| text.contains(opaque)) {
                tokenizer.fresh();
            }
            text.token(tokenizer);
        }
        Expr::AnonymousFunction { .. } | Expr::RenameAlias { .. } | Expr::SubPlan(..) => tokenizer.fresh(),
        _ => {}
    }
}

fn enter_literal(literal: &LiteralValue, tokenizer: &mut Tokenizer) {
    let mut bytes = Bytes::default();
    match literal {
        // polars hashes 0.0 and -0.0 as one.
        LiteralValue::Dyn(DynLiteralValue::Float(value)) => value.to_bits().hash(&mut bytes),
        LiteralValue::Dyn(DynLiteralValue::List(_)) => tokenizer.fresh(),
        LiteralValue::Dyn(value) => value.hash(&mut bytes),
        LiteralValue::Scalar(scalar) => {
            // The type tells 1 of 8 bits from 1 of 64, and dates from numbers.
            format!("{:?}", scalar.dtype()).token(tokenizer);
            match scalar.value() {
                _ if scalar.dtype().is_nested() => tokenizer.fresh(),
                AnyValue::Float64(value) => value.to_bits().hash(&mut bytes),
                AnyValue::Float32(value) => value.to_bits().hash(&mut bytes),
                value => value.hash(&mut bytes),
            }
        }
        LiteralValue::Range(range) => range.hash(&mut bytes),
        LiteralValue::Series(series) => {
            table(&series.clone().into_inner_frame(), tokenizer);
            return;
        }
    }
    tokenizer.bytes(&bytes.0);
}

/// Enters the rows of a table.
pub(crate) fn table(table: &DataFrame, tokenizer: &mut Tokenizer) {
    let mut encoded = Vec::new();
    match border::encode(table, &mut encoded) {
        Ok(()) => tokenizer.bytes(&encoded),
        Err(_) => tokenizer.fresh(),
    }
}

/// Enters names and types of columns.
pub(crate) fn schema(schema: &Schema, tokenizer: &mut Tokenizer) {
    schema.len().token(tokenizer);
    for (name, dtype) in schema.iter() {
        name.as_str().token(tokenizer);
        format!("{dtype:?}").token(tokenizer);
    }
}

/// A series as a table of one column.
trait IntoInnerFrame {
    fn into_inner_frame(self) -> DataFrame;
}

impl IntoInnerFrame for polars_plan::prelude::SpecialEq<polars::prelude::Series> {
    fn into_inner_frame(self) -> DataFrame {
        (*self).clone().into_frame()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musher_graph_core::{Key, Reach};
    use polars::prelude::*;

    fn key(expression: Expr) -> (Key, Reach) {
        let mut tokenizer = Tokenizer::new();
        expressions(&[expression], &mut tokenizer);
        (tokenizer.finish(), tokenizer.reach())
    }

    #[test]
    fn equal_expressions_have_equal_keys_and_different_ones_do_not() {
        let list = |values: &[i32]| lit(Series::new("".into(), values));
        let expressions = || {
            vec![
                col("x"),
                col("y"),
                col("x").alias("y"),
                col("x") + lit(1),
                col("x") + lit(2),
                col("x") + lit(1.0),
                col("x") + lit(-0.0),
                col("x") + lit(0.0),
                col("x") + lit(1).cast(DataType::Int8),
                lit(1) + col("x"),
                col("x").eq(lit("a")),
                col("x").eq(lit("b")),
                col("x").is_in(list(&[1, 2]), false),
                col("x").is_in(list(&[1, 3]), false),
                col("x").round(1, RoundMode::HalfToEven),
                col("x").round(2, RoundMode::HalfToEven),
                col("x").str().contains(lit("a"), true),
                col("x").str().contains(lit("a"), false),
                col("x").cast(DataType::Int32),
                col("x").cast(DataType::Int64),
                col("x").std(0),
                col("x").std(1),
                col("x").quantile(lit(0.5), QuantileMethod::Linear),
                col("x").quantile(lit(0.5), QuantileMethod::Nearest),
                col("x").dt().strftime("%Y"),
                col("x").dt().strftime("%m"),
                when(col("x").gt(lit(1))).then(lit(1)).otherwise(lit(2)),
                when(col("x").gt(lit(1))).then(lit(2)).otherwise(lit(1)),
                when(col("x").gt(lit(1))).then(lit(2)).otherwise(lit(NULL)),
            ]
        };
        let (first, second) = (expressions(), expressions());
        for (i, a) in first.iter().enumerate() {
            for (j, b) in second.iter().enumerate() {
                assert_eq!(key(a.clone()).0 == key(b.clone()).0, i == j, "{a} {b}");
            }
            assert_eq!(key(a.clone()).1, Reach::Anywhere, "{a} holds in every process");
        }
    }

    #[test]
    fn a_closure_is_never_merged() {
        let map = || col("x").map(Ok, |_, field| Ok(field.clone()));
        assert_ne!(key(map()).0, key(map()).0);
        assert_eq!(key(map()).1, Reach::Run);
    }
}
