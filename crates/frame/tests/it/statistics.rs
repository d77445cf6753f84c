//! Statistics, samples, numbers of rows and other shapes, against polars on the whole table and answers by hand.

use musher_frame::polars::lazy::dsl::concat_list;
use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame};
use musher_scheduler::Compute;

use crate::support::{check, check_close, layouts, table};

fn lazy(table: &DataFrame) -> LazyFrame {
    table.clone().lazy()
}

/// Numbers without NaN.
fn numbers(n: i64) -> DataFrame {
    lazy(&table(n)).select([col("int"), col("small"), col("float").fill_nan(lit(1.5))]).collect().unwrap()
}

#[test]
fn columns_in_one_number_equal_polars() {
    for table in [numbers(40), numbers(2), numbers(1), numbers(0)] {
        let each = |of: fn(Expr) -> Expr| lazy(&table).select([of(all().as_expr())]).collect().unwrap();
        check_close(&table, &each(Expr::median), 1e-12, Frame::median);
        check_close(&table, &each(|x| x.skew(false)), 1e-10, |frame| frame.skew(false));
        check_close(&table, &each(|x| x.kurtosis(true, true)), 1e-10, |frame| frame.kurtosis(true));
        check_close(&table, &each(|x| x.cast(DataType::Float64).product()), 1e-12, Frame::product);
        for (at, method) in
            [(0.0, QuantileMethod::Nearest), (0.3, QuantileMethod::Linear), (1.0, QuantileMethod::Lower)]
        {
            let expected =
                lazy(&table).select([all().as_expr().quantile(lit(at), method)]).collect().unwrap();
            check_close(&table, &expected, 1e-12, |frame| frame.quantile(at, method));
        }
    }
    let flags = lazy(&table(30)).select([col("flag")]).collect().unwrap();
    check(&flags, &lazy(&flags).select([col("flag").any(true)]).collect().unwrap(), Frame::any);
    check(&flags, &lazy(&flags).select([col("flag").all(true)]).collect().unwrap(), Frame::all);
    let frame = Frame::from(df!("x" => ["a"]).unwrap());
    for refused in
        [frame.median(), frame.product(), frame.any(), frame.corr(), frame.cov(1.0), frame.skew(true)]
    {
        assert!(matches!(refused, Err(Error::Zero { .. })));
    }
    assert!(matches!(Frame::from(numbers(3)).cov(-1.0), Err(Error::Ddof { .. })));
}

#[test]
fn the_most_frequent_values_stand_in_order_of_appearance() {
    let table = table(40);
    for column in ["key", "int", "flag", "text"] {
        let present = lazy(&table).select([col(column)]).drop_nulls(None);
        let counts = present.group_by_stable([col(column)]).agg([len().alias("n")]);
        let expected = counts.filter(col("n").eq(col("n").max())).select([col(column)]).collect().unwrap();
        check(&table, &expected, |frame| frame.mode(column));
    }
}

#[test]
fn rows_are_numbered_over_all_partitions() {
    for table in [table(40), table(1), table(0)] {
        let expected =
            lazy(&table).with_row_index("row", None).with_columns([col("row").cast(DataType::UInt64)]);
        check(&table, &expected.collect().unwrap(), |frame| frame.with_row_index("row"));
    }
    assert!(matches!(Frame::from(table(3)).with_row_index("key"), Err(Error::Expression { .. })));
}

#[test]
fn samples_do_not_depend_on_partitions_and_parts_hold_every_row_once() {
    let table = table(200);
    let expected = Frame::from(table.clone()).sample(0.3, 7).unwrap().compute().unwrap();
    assert!((35..85).contains(&expected.height()), "{}", expected.height());
    check(&table, &expected, |frame| frame.sample(0.3, 7));
    let other = Frame::from(table.clone()).sample(0.3, 8).unwrap().compute().unwrap();
    assert!(!other.equals_missing(&expected));
    check(&table, &table, |frame| frame.sample(1.0, 7));
    check(&table, &table.head(Some(0)), |frame| frame.sample(0.0, 7));
    for (layout, frame) in layouts(&table) {
        let numbered = frame.with_row_index("row").unwrap();
        let parts = numbered.random_split(&[0.5, 0.3, 0.2], 3).unwrap();
        let mut rows: Vec<u64> = Vec::new();
        for part in &parts {
            let part = part.compute().unwrap();
            assert!(part.height() > 20, "{layout}");
            rows.extend(part.column("row").unwrap().u64().unwrap().iter().flatten());
        }
        rows.sort_unstable();
        assert_eq!(rows, (0..200).collect::<Vec<_>>(), "{layout}");
    }
    let frame = Frame::from(table);
    for error in [
        frame.sample(1.5, 0).map(drop),
        frame.sample(f64::NAN, 0).map(drop),
        frame.random_split(&[0.5, 0.4], 0).map(drop),
        frame.random_split(&[1.5, -0.5], 0).map(drop),
        frame.random_split(&[], 0).map(drop),
    ] {
        assert!(matches!(error, Err(Error::Fraction { .. })));
    }
}

#[test]
fn covariances_are_those_of_the_rows_in_which_both_are_present() {
    for table in [numbers(40), numbers(3), numbers(0)] {
        let expected = |of: &dyn Fn(Expr, Expr) -> Expr| {
            let mut columns: Vec<Column> =
                vec![Series::new("column".into(), ["int", "small", "float"]).into_column()];
            for x in ["int", "small", "float"] {
                let pair = |y: &str| {
                    let both = lazy(&table).select([col(x).alias("x"), col(y).alias("y")]).drop_nulls(None);
                    let value = both.select([of(col("x"), col("y"))]).collect().unwrap();
                    value.columns()[0].f64().unwrap().get(0)
                };
                columns.push(Series::new(x.into(), ["int", "small", "float"].map(pair)).into_column());
            }
            DataFrame::new_infer_height(columns).unwrap()
        };
        check_close(&table, &expected(&pearson_corr), 1e-10, Frame::corr);
        check_close(&table, &expected(&|x, y| cov(x, y, 1)), 1e-10, |frame| frame.cov(1.0));
        check_close(&table, &expected(&|x, y| cov(x, y, 0) * lit(40.0) / lit(40.0)), 1e-10, |frame| {
            frame.cov(0.0)
        });
    }
    // Degrees of freedom that are no whole number.
    let table = df!("x" => [1.0, 2.0, 4.0], "y" => [1.0, 0.0, 5.0]).unwrap();
    let (xx, xy, yy) = (14.0 / 3.0, 7.0, 14.0);
    let expected =
        df!("column" => ["x", "y"], "x" => [xx / 1.5, xy / 1.5], "y" => [xy / 1.5, yy / 1.5]).unwrap();
    check_close(&table, &expected, 1e-12, |frame| frame.cov(1.5));
}

#[test]
fn lists_become_rows() {
    let lists = || concat_list([col("int"), col("small").cast(DataType::Int64)]).unwrap().alias("list");
    for table in [table(20), table(0)] {
        let table =
            lazy(&table).with_columns([when(col("flag")).then(lists()).otherwise(lit(NULL)).alias("list")]);
        let table = table.collect().unwrap();
        let expected = lazy(&table).explode(
            by_name(["list"], true, false),
            ExplodeOptions { empty_as_null: true, keep_nulls: true },
        );
        check(&table, &expected.collect().unwrap(), |frame| frame.explode(["list"]));
    }
    let frame = Frame::from(table(5));
    assert!(matches!(frame.explode(["nope"]), Err(Error::NoColumn { .. })));
    assert!(matches!(frame.explode([]), Err(Error::Zero { .. })));
    assert!(matches!(frame.explode(["int"]), Err(Error::Expression { .. })));
}

#[test]
fn columns_become_rows_and_rows_columns() {
    for table in [table(20), table(1), table(0)] {
        let long = lazy(&table).with_row_index("row", None).unpivot(UnpivotArgsDSL {
            on: Some(by_name(["int", "small"], true, false)),
            index: by_name(["row", "key"], true, false),
            variable_name: None,
            value_name: None,
        });
        // polars puts the rows of a column together, musher those that come from a row.
        let expected = long.sort(["row"], SortMultipleOptions::default().with_maintain_order(true));
        let expected = expected.select([col("key"), col("variable"), col("value")]).collect().unwrap();
        check(&table, &expected, |frame| frame.unpivot(["int", "small"], ["key"]));
        let chosen = |x: &str, key: &str| {
            col(x).filter(col("key").eq(lit(key))).sum().cast(DataType::Int64).alias(key)
        };
        let expected =
            lazy(&table).group_by_stable([col("flag")]).agg([chosen("int", "a"), chosen("int", "b")]);
        check(&table, &expected.collect().unwrap(), |frame| {
            frame.pivot([col("flag")], "key", ["a", "b"], "int", Expr::sum)
        });
        let dummy =
            |key: &str| col("key").eq_missing(lit(key)).cast(DataType::UInt8).alias(format!("key_{key}"));
        let expected = lazy(&table).select([col("int"), dummy("b"), dummy("z")]).collect().unwrap();
        check(&table, &expected, |frame| {
            frame.select([col("key"), col("int")])?.to_dummies("key", ["b", "z"])
        });
    }
    let frame = Frame::from(table(5));
    let all: Vec<String> = frame.columns().into_iter().map(str::to_owned).collect();
    assert!(matches!(frame.unpivot([], all.iter().map(String::as_str)), Err(Error::Zero { .. })));
    assert!(matches!(frame.unpivot(["nope"], []), Err(Error::NoColumn { .. })));
    let listed = frame.with_columns([concat_list([col("int")]).unwrap().alias("listed")]).unwrap();
    assert!(matches!(listed.unpivot(["listed"], []), Err(Error::Expression { .. })));
    let ordered = |x: Expr| x.sort(SortOptions::default()).first();
    let refused = frame.pivot([col("flag")], "key", ["a"], "int", ordered).unwrap_err();
    assert!(matches!(refused, Error::NotDecomposable { .. }));
    assert!(matches!(frame.to_dummies("key", []), Err(Error::Zero { .. })));
    let numbers =
        frame.select([col("int")]).unwrap().to_dummies("int", ["-5", "1"]).unwrap().compute().unwrap();
    assert_eq!(numbers.columns()[0].u8().unwrap().get(0), Some(1));
}

#[test]
fn bytes_of_columns_are_counted() {
    let table = df!("x" => [1_i64, 2, 3, 4], "y" => [1_i8, 2, 3, 4]).unwrap();
    let expected = df!("x" => [32_u64], "y" => [4_u64]).unwrap();
    check(&table, &expected, Frame::memory_usage);
    let parts = Frame::from_polars(table, 2).unwrap().memory_usage_per_partition().unwrap();
    assert_eq!(parts.lengths(), Some([1, 1].as_slice()));
    assert_eq!(parts.compute().unwrap(), df!("x" => [16_u64, 16], "y" => [2_u64, 2]).unwrap());
    let none = Frame::from(DataFrame::empty());
    assert!(matches!(none.memory_usage(), Err(Error::Zero { .. })));
}
