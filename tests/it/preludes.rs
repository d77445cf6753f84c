//! The prelude beside those of polars and ndarray: each of its names is used here, and none is ambiguous.
//!
//! `Array` alone is: ndarray has one, too, and an import by name says which is meant.

use musher::Array;
use musher::frame::polars::prelude::*;
use musher::ndarray::prelude::*;
use musher::prelude::*;

fn inc(x: i64) -> i64 {
    x + 1
}

#[test]
fn no_name_of_the_preludes_is_ambiguous() {
    fn is_computed<C: Collection + Compute + Checkpointing>(_: &C) {}
    fn is_drawn(_: impl Visualize) {}
    let options: Options = Options::default();
    let three: Delayed<i64> = delayed(inc).call(opaque(2));
    is_computed(&three);
    is_drawn(&three);
    assert_eq!(compute((&three, &persist(&three).unwrap())).unwrap(), (3, 3));
    let x: Array<f64, Ix2> = Array::ones((2, 3), 2);
    let table: Frame = x.to_frame(&["a", "b", "c"]).unwrap();
    assert_eq!(table.filter(col("a").gt(lit(0.5))).unwrap().len().compute_with(&options).unwrap(), 2);
    let back: Array<f64, Ix2> = table.to_array::<f64>().unwrap();
    assert_eq!(back.slice(s![.., 1]).over(All).sum().compute().unwrap(), 2.0);
    let rows: Bag<f64> = x.index_axis(Axis(0), 0).to_bag();
    assert_eq!(rows.count().compute().unwrap(), 3);
    let _: VisualizeOptions = VisualizeOptions::default();
    assert_eq!(ndarray::arr1(&[1.0]).len(), 1);
}
