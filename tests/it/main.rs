//! The facade as its users meet it: siblings converted into each other, computed together, drawn together.

#![cfg(all(feature = "array", feature = "bag", feature = "frame", feature = "image", feature = "viz"))]

mod delayed;
mod facts;
mod killed;
mod preludes;
mod scope;
mod token;

use musher::frame::polars::prelude::{SortMultipleOptions, col, df};
use musher::image::{gaussian_filter, imread_tiles, label, measure, rgb2gray, threshold_otsu};
use musher::ndarray::{Ix2, arr1};
use musher::prelude::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[test]
fn siblings_become_each_other_and_are_computed_together() -> Outcome {
    let numbers = Array::arange(0_i64, 100, 1, 30);
    let even = numbers.to_bag().filter(|number: &i64| number % 2 == 0);
    let table = even.map(|number: i64| (number, number as f64 / 2.0)).to_frame(["number", "half"])?;
    let halves = table.select([col("half")])?.to_array::<f64>()?.sum_axis(Axis(0));
    for threads in [1, 2, 3, 8] {
        let options = Options::default().threads(threads);
        let (count, halves) = musher::compute_with((&even.count(), &halves), &options)?;
        assert_eq!((count, halves), (50, arr1(&[1225.0])));
    }
    Ok(())
}

#[test]
fn a_column_of_text_is_no_array_before_anything_runs() -> Outcome {
    let frame =
        Frame::from_polars(df!("x" => [1.5, 2.5], "text" => ["1.5", "a"], "flag" => [true, false])?, 2)?;
    let error = frame.to_array::<f64>().map(drop).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("main.rs") && text.contains("column \"text\" is str"), "{text}");
    let numbers = frame.drop(["text"])?.to_array::<f64>()?.sum_axis(Axis(0));
    assert_eq!(numbers.compute()?, arr1(&[4.0, 1.0]));
    Ok(())
}

#[test]
fn equal_names_are_refused_before_anything_runs() {
    let twice = [
        Bag::from_sequence([(1, 2)], 1).to_frame(["x", "x"]).map(drop),
        Array::from_array(musher::ndarray::arr2(&[[1.0, 2.0]]), 1).to_frame(&["x", "x"]).map(drop),
    ];
    for error in twice {
        let report = format!("{:?}", error.unwrap_err());
        assert!(report.contains("main.rs") && report.contains("named twice"), "{report}");
    }
}

#[test]
fn as_many_names_as_columns_are_wanted_and_they_may_be_made_at_run_time() -> Outcome {
    let x = Array::from_array(musher::ndarray::arr2(&[[1.0, 2.0]]), 1);
    let made: Vec<String> = (0..3).map(|number| format!("x{number}")).collect();
    let names: Vec<&str> = made.iter().map(String::as_str).collect();
    for wrong in [&names[..0], &names[..1], &names[..3]] {
        let report = format!("{:?}", x.to_frame(wrong).unwrap_err());
        assert!(report.contains("main.rs") && report.contains("names for 2 columns"), "{report}");
    }
    assert_eq!(x.to_frame(&names[..2])?.compute()?, df!("x0" => [1.0], "x1" => [2.0])?);
    assert_eq!(x.index_axis(Axis(1), 0).to_frame(&made[2])?.compute()?, df!("x2" => [1.0])?);
    Ok(())
}

/// The table of the walk-through is that of SciPy: the number of objects, and the first of the biggest.
#[test]
fn the_walk_through_ends_in_a_frame() -> Outcome {
    let pattern = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/hubble/image-*.png");
    let tiles = imread_tiles(pattern, (3, 3))?;
    let gray = |row: &Vec<_>| row.iter().map(rgb2gray).collect();
    let gray: Vec<Vec<Array<f64, Ix2>>> = tiles.iter().map(gray).collect::<Result<_, _>>()?;
    let image = Array::block(&gray)?;
    let smooth = gaussian_filter(&image, 1.0)?;
    let (labels, count) = label(&smooth.gt(&threshold_otsu(&smooth, 256)?), 1)?;
    let objects = measure(&image, &labels)?.to_frame(..)?.select([col("label"), col("area")])?;
    assert!((&count, &objects).to_svg_string()?.contains("gaussian_filter"));
    let (count, table) = compute((&count, &objects))?;
    assert_eq!((count, table.height()), (797, 797));
    let biggest =
        table.sort(["area"], SortMultipleOptions::default().with_order_descending(true))?.head(Some(1));
    assert_eq!(biggest, df!("label" => [424_i64], "area" => [1058_u64])?);
    Ok(())
}
