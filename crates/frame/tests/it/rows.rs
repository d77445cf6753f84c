//! Row-wise steps, ends, ranks, joins and layouts against polars on the whole table.

use musher_frame::polars::prelude::*;
use musher_frame::{Error, Frame, How, Order};
use musher_scheduler::Compute;

use crate::support::{assert_same, cause, check, table};

fn lazy(table: &DataFrame) -> LazyFrame {
    table.clone().lazy()
}

#[test]
fn row_wise_steps_equal_polars() {
    for table in [table(40), table(1), table(0)] {
        let exprs = || {
            [
                col("key"),
                (col("int") * lit(2) + col("small").cast(DataType::Int64)).alias("sum"),
                when(col("flag")).then(col("float")).otherwise(lit(0.0)).alias("when"),
                col("text").str().len_chars().alias("chars"),
                col("text")
                    .is_in(lit(Series::new("".into(), ["t1", "t5"])).implode(true), false)
                    .alias("is_in"),
            ]
        };
        let expected = lazy(&table).select(exprs()).collect().unwrap();
        check(&table, &expected, |frame| frame.select(exprs()));

        let expected =
            lazy(&table).with_columns([col("float").abs(), lit(1).alias("one")]).collect().unwrap();
        check(&table, &expected, |frame| frame.with_columns([col("float").abs(), lit(1).alias("one")]));

        let predicate = || col("int").gt(lit(0)).and(col("flag").fill_null(lit(true)));
        let expected = lazy(&table).filter(predicate()).collect().unwrap();
        check(&table, &expected, |frame| frame.filter(predicate()));

        let expected = lazy(&table).drop_nulls(None).collect().unwrap();
        check(&table, &expected, |frame| frame.drop_nulls([]));

        let expected = lazy(&table)
            .select([col("key").alias("k"), col("int"), col("float").alias("f")])
            .with_columns([col("int").cast(DataType::Float64)])
            .collect()
            .unwrap();
        check(&table, &expected, |frame| {
            let frame = frame.drop(["small", "flag", "text"])?;
            frame.rename([("key", "k"), ("float", "f")])?.cast([("int", DataType::Float64)])
        });
    }
}

#[test]
fn ends_and_ranks_equal_polars() {
    for table in [table(40), table(2), table(0)] {
        for n in [0, 1, 5, 39, 40, 100] {
            check(&table, &table.head(Some(n as usize)), |frame| Ok(frame.head(n)));
            check(&table, &table.tail(Some(n as usize)), |frame| Ok(frame.tail(n)));
        }
        for (order, descending) in [(Order::Ascending, false), (Order::Descending, true)] {
            let options = SortMultipleOptions::default()
                .with_order_descending(descending)
                .with_nulls_last(true)
                .with_maintain_order(true);
            let by = || [col("key"), col("int")];
            let sorted = lazy(&table).sort_by_exprs(by(), options).collect().unwrap();
            check(&table, &sorted, |frame| frame.sort(by(), order));
            check(&table, &sorted.head(Some(7)), |frame| frame.top_k(7, by(), order));
        }
    }
}

#[test]
fn joins_with_a_small_side_equal_polars() {
    let right = df!(
        "name" => ["a", "c", "z", "a", "c", "a"], "int" => [10_i64, 30, 0, 11, 31, 12], "area" => [1.5, 2.5, 0.5, 0.0, 1.0, 2.0],
    )
    .unwrap();
    for table in [table(40), table(0)] {
        for (how, polars) in [
            (How::Inner, JoinType::Inner),
            (How::Left, JoinType::Left),
            (How::Semi, JoinType::Semi),
            (How::Anti, JoinType::Anti),
        ] {
            let expected = lazy(&table)
                .join_builder()
                .with(right.clone().lazy())
                .left_on([col("key")])
                .right_on([col("name")])
                .how(polars)
                .suffix("_right")
                .maintain_order(MaintainOrderJoin::LeftRight)
                .finish()
                .collect()
                .unwrap();
            check(&table, &expected, |frame| frame.join(right.clone(), [col("key")], [col("name")], how));
        }
    }
}

#[test]
fn joins_fuse_on_both_sides_without_mixing_up_their_slots() {
    let left = df!("k" => [1, 2, 3], "x" => [10, 20, 30]).unwrap();
    let first = Frame::from(df!("k" => [1, 2], "y" => ["a", "b"]).unwrap());
    let second = Frame::from(df!("y" => ["a", "b"], "z" => [1.0, 2.0]).unwrap());
    let frame = Frame::from_polars(left, 3).unwrap();
    let first = first.filter(col("k").gt(lit(0))).unwrap();
    let second = second.with_columns([col("z") * lit(2.0)]).unwrap();
    let joined = frame.join(&first, [col("k")], [col("k")], How::Inner).unwrap();
    let joined = joined.filter(col("x").gt(lit(10))).unwrap();
    let joined = joined.join(&second, [col("y")], [col("y")], How::Left).unwrap();
    let expected = df!("k" => [2], "x" => [20], "y" => ["b"], "z" => [4.0]).unwrap();
    assert_eq!(joined.compute().unwrap(), expected);
    // A frame of one partition joined with itself reads one producer twice.
    let itself = first.join(&first, [col("k")], [col("k")], How::Inner).unwrap();
    assert_eq!(itself.compute().unwrap().width(), 3);
}

#[test]
fn repartition_keeps_rows_and_order() {
    for table in [table(40), table(3), table(0)] {
        for n in [1, 2, 3, 7, 50] {
            check(&table, &table, |frame| {
                let frame = frame.repartition(n)?;
                assert_eq!(frame.n_partitions(), n);
                Ok(frame)
            });
        }
    }
}

#[test]
fn distinct_rows_are_the_first_ones() {
    for table in [table(40), table(0)] {
        let subset = Some(by_name(["key", "flag"], true, false));
        let expected = lazy(&table).unique_stable(subset, UniqueKeepStrategy::First).collect().unwrap();
        check(&table, &expected, |frame| frame.unique(["key", "flag"]));
        let expected = lazy(&table).unique_stable(None, UniqueKeepStrategy::First).collect().unwrap();
        check(&table, &expected, |frame| frame.unique([]));
    }
}

#[test]
fn lengths_are_counted() {
    for table in [table(40), table(0)] {
        for (layout, frame) in crate::support::layouts(&table) {
            assert_eq!(frame.len().compute().unwrap(), table.height() as u64, "{layout}");
            assert_eq!(frame.is_empty().compute().unwrap(), table.height() == 0, "{layout}");
            let none = frame.filter(lit(false)).unwrap();
            assert_eq!(none.len().compute().unwrap(), 0, "{layout}");
        }
    }
}

#[test]
fn a_function_over_partitions_must_keep_its_promise() {
    let frame = Frame::from_polars(table(10), 3).unwrap();
    let doubled = frame.map_partitions(
        |table| table.lazy().select([col("int") * lit(2)]).collect(),
        Schema::from_iter([Field::new("int".into(), DataType::Int64)]).into(),
    );
    let expected = lazy(&table(10)).select([col("int") * lit(2)]).collect().unwrap();
    assert_eq!(doubled.compute().unwrap(), expected);

    let liar = frame.map_partitions(PolarsResult::Ok, doubled.schema().clone());
    let error = liar.compute().unwrap_err();
    assert!(
        matches!(cause(&error), Error::Declared { difference, .. } if difference.position == 0),
        "{error:?}"
    );

    let failing = frame.map_partitions(|_| Err("no luck"), frame.schema().clone());
    let error = failing.compute().unwrap_err();
    assert!(matches!(cause(&error), Error::User { name: "map_partitions", .. }), "{error:?}");

    let panicking =
        frame.map_partitions(|_| -> PolarsResult<DataFrame> { panic!("on purpose") }, frame.schema().clone());
    let error = panicking.compute().unwrap_err();
    assert!(matches!(cause(&error), Error::Panic { message, .. } if message == "on purpose"), "{error:?}");
}

#[test]
fn partitions_can_be_chosen_and_concatenated() {
    let table = table(9);
    let frame = Frame::from_polars(table.clone(), 3).unwrap();
    let chosen = frame.partitions([2, 0, 0]).unwrap();
    let expected = [6, 0, 0].map(|from| table.slice(from, 3));
    let expected = expected[0].vstack(&expected[1]).unwrap().vstack(&expected[2]).unwrap();
    assert!(chosen.compute().unwrap().equals_missing(&expected));
    assert_eq!(chosen.lengths(), Some([3, 3, 3].as_slice()));
}

#[test]
fn parts_put_together_are_the_table() {
    let table = table(9);
    let parts =
        [0..2, 2..2, 2..9].map(|rows| Frame::from(table.slice(rows.start, (rows.end - rows.start) as usize)));
    let whole = Frame::concat(&parts).unwrap();
    assert_same(&whole.compute().unwrap(), &table, "concat");
    assert_eq!(whole.lengths(), Some([2, 0, 7].as_slice()));
    let again = Frame::from_delayed(whole.to_delayed(), whole.schema().clone()).unwrap();
    assert_same(&again.compute().unwrap(), &table, "from_delayed");
}
