//! A loop of delayed calls: what repeats is one task.
//!
//! `inc(1)` is called in every turn of the loop and appears once in the graph.

use musher::{delayed, prelude::*};

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed]
fn double(x: i64) -> i64 {
    2 * x
}

#[delayed]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[delayed]
fn total(values: &Vec<i64>) -> i64 {
    values.iter().sum()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut output = Vec::new();
    for x in 1..=5 {
        let a = inc(1);
        let b = double(x);
        output.push(add(a, b));
    }
    let total = total(output);

    println!("{}\n", total.explain()?);
    let folder =
        std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/output/loop_of_delayed"));
    std::fs::create_dir_all(folder)?;
    total.visualize(folder.join("graph.svg"))?;
    total.visualize(folder.join("graph.png"))?;
    println!("total: {}", total.compute()?);
    println!(
        "The graph is drawn in {}: inc(1) is called five times and stands there once.",
        folder.display()
    );
    Ok(())
}
