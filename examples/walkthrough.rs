//! The main job: find and measure the objects in a photograph that is stored as nine tiles.
//!
//! Tiles are read lazily, turned gray by a function of our own, joined into one image, smoothed, thresholded, labeled
//! and measured; the measurements become a table. Each stage is saved as a picture, and so are the graphs before and
//! after the tiles are joined.

use std::path::{Path, PathBuf};
use std::time::Instant;

use musher::frame::polars::prelude::{SortMultipleOptions, col};
use musher::image::{gaussian_filter, imread_tiles, imsave, label, measure, threshold_otsu, to_u8_scaled};
use musher::ndarray::{Array2, ArrayView3, Ix2, Ix3, Zip};
use musher::prelude::*;

const TILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/hubble/image-*.png");
const OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/output/walkthrough");

/// Gray values of one tile: a plain function on one chunk.
fn to_gray(tile: ArrayView3<'_, u8>) -> Array2<f64> {
    let [red, green, blue] = [0, 1, 2].map(|channel| tile.index_axis(Axis(2), channel));
    Zip::from(red)
        .and(green)
        .and(blue)
        .map_collect(|&r, &g, &b| 0.2125 * f64::from(r) + 0.7154 * f64::from(g) + 0.0721 * f64::from(b))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let output = PathBuf::from(OUTPUT);
    std::fs::create_dir_all(&output)?;

    // Nine tiles, nine separate columns of work.
    let tiles = imread_tiles(TILES, (3, 3))?;
    let gray_tile = |tile: &Array<u8, Ix3>| tile.map_blocks_dropping(Axis(2), to_gray);
    let gray: Vec<Vec<Array<f64, Ix2>>> =
        tiles.iter().map(|row| row.iter().map(gray_tile).collect()).collect();
    let nine: Vec<_> = gray.iter().flatten().cloned().collect();
    nine.as_slice().visualize(output.join("graph-1-gray.png"))?;
    nine.as_slice().visualize(output.join("graph-1-gray.svg"))?;

    // One image: from here on chunks need their neighbors.
    let image = Array::block(&gray)?;
    let smooth = gaussian_filter(&image, 1.0)?;
    smooth.visualize(output.join("graph-2-gaussian.png"))?;
    smooth.visualize(output.join("graph-2-gaussian.svg"))?;

    let bright = smooth.gt(&threshold_otsu(&smooth, 256)?);
    let (labels, count) = label(&bright, 1)?;
    let objects = measure(&image, &labels)?.to_frame(..)?;
    let objects = objects.select([col("label"), col("area"), col("mean"), col("standard_deviation")])?;
    println!("{}\n", objects.explain()?);

    let (count, table) = musher::compute_with((&count, &objects), &Options::default().progress())?;
    let biggest = SortMultipleOptions::default().with_order_descending_multi([true, false]);
    let table = table.sort(["area", "label"], biggest)?;
    println!("{}\n", table.head(Some(10)));

    save_stages(&output, &image, &smooth, &bright, &labels)?;
    let sorted = Frame::from_polars(table.clone(), 1)?;
    compute((
        &sorted.to_parquet(output.join("objects.parquet"))?,
        &sorted.to_csv(output.join("objects.csv"))?,
    ))?;

    let pixels: usize = image.len();
    let areas: Vec<u64> = table.column("area")?.u64()?.iter().flatten().collect();
    let area: u64 = areas.iter().sum();
    println!(
        "Found {count} objects in {} × {} pixels; they cover {:.1} % of the sky here, and the biggest has {} pixels. \
         The whole run took {:.1} s. Pictures of every stage, the two graphs, and the table (objects.parquet, \
         objects.csv) are in {}.",
        image.shape()[0],
        image.shape()[1],
        100.0 * area as f64 / pixels as f64,
        areas.first().unwrap_or(&0),
        start.elapsed().as_secs_f64(),
        output.display(),
    );
    Ok(())
}

/// Every stage as a picture.
fn save_stages(
    output: &Path,
    image: &Array<f64, Ix2>,
    smooth: &Array<f64, Ix2>,
    bright: &Array<bool, Ix2>,
    labels: &Array<i32, Ix2>,
) -> Result<(), Box<dyn std::error::Error>> {
    imsave(&to_u8_scaled(image, ..)?, output.join("1-gray.png"))?;
    imsave(&to_u8_scaled(smooth, ..)?, output.join("2-smooth.png"))?;
    imsave(&bright.mapv(|bright| if bright { 255_u8 } else { 0 }), output.join("3-bright.png"))?;
    // Neighboring labels get shades far apart.
    let shade = |label: i32| if label == 0 { 0_u8 } else { 64 + (label.wrapping_mul(97) % 192) as u8 };
    imsave(&labels.mapv(shade), output.join("4-labels.png"))?;
    Ok(())
}
