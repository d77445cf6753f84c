//! I1: the walk-through on a mosaic of TIFF tiles: read → gray → Gaussian → threshold → label → mean and deviation.
//!
//! The tiles lie in `$BENCH_DATA/tiles_<kind>_<pixels>`, as the scripts make them.

use musher::image::{GrayWeights, gaussian_filter, imread_tiles, label, measure, rgb_to_gray};
use musher::ndarray::Ix2;
use musher::prelude::*;
use serde_json::{Value, json};

use crate::report::report;

const THRESHOLD: f64 = 75.0;

pub(crate) fn run(kind: &str, size: &str) {
    let pixels = match size {
        "small" => 2048,
        "medium" => 8192,
        _ => 16384,
    };
    let data = std::env::var("BENCH_DATA").unwrap_or_else(|_| ".".to_owned());
    let pattern = format!("{data}/tiles_{kind}_{pixels}/image_*.tif");
    report(|| match walk(&pattern, pixels / 1024) {
        Ok(sums) => (sums, Value::Null),
        Err(error) => panic!("{error}"),
    });
}

fn walk(pattern: &str, tiles: usize) -> Result<Value, Box<dyn std::error::Error>> {
    let tiles = imread_tiles(pattern, (tiles, tiles))?;
    let gray = |row: &Vec<_>| row.iter().map(|tile| rgb_to_gray(tile, GrayWeights::REC_709)).collect();
    let gray: Vec<Vec<Array<f64, Ix2>>> = tiles.iter().map(gray).collect::<Result<_, _>>()?;
    let image = Array::block(&gray)?;
    let (labels, _) = label(&gaussian_filter(&image, 2.0)?.gt(THRESHOLD), 1)?;
    let table = measure(&image, &labels)?.compute()?;
    let sum = |name: &str| {
        table.f64(name).map_or(0.0, |values| (values.iter().sum::<f64>() * 100.0).round() / 100.0)
    };
    Ok(json!([table.len(), sum("mean"), sum("standard_deviation")]))
}
