//! A year of departures from New York's airports: mean delay per carrier and month, with the airlines' names.
//!
//! The twelve monthly files are read in parallel; of their nineteen columns only the three that are needed.

use musher::frame::polars::prelude::{SortMultipleOptions, col, len};
use musher::prelude::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flights = Frame::read_parquet(format!("{DATA}/flights/*.parquet"))?;
    let airlines = Frame::read_csv(format!("{DATA}/airlines.csv"))?;
    let delays = flights
        .filter(col("dep_delay").is_not_null())?
        .group_by([col("carrier"), col("month")])?
        .agg([col("dep_delay").mean().alias("mean delay"), len().alias("flights")])?;
    let named = delays.join(&airlines, [col("carrier")], [col("carrier")], musher::frame::How::Left)?;

    println!("{}\n", named.explain()?);
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/output/flights"));
    std::fs::create_dir_all(folder)?;
    named.visualize(folder.join("graph.svg"))?;
    named.to_csv(folder.join("delays.csv"))?.compute_with(&Options::default().progress())?;

    let (all, table) = compute((&flights.len(), &named))?;
    let worst = table.sort(["mean delay"], SortMultipleOptions::default().with_order_descending(true))?;
    println!("{all} departures; the worst months of an airline, delay in minutes:\n{}", worst.head(Some(10)));
    println!(
        "All {} rows are in {}, the graph beside them.",
        worst.height(),
        folder.join("delays.csv").display()
    );
    Ok(())
}
