//! The commonest words of a text: a bag of lines becomes a bag of words, and a table.

use musher::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let lines = Bag::read_text(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/text/*.txt"))?;
    let words = lines
        .words()
        .map(|word: String| word.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase())
        .filter(|word: &String| word.len() > 3);
    let common = words.frequencies().topk_by_key(10, |(_, count): &(String, u64)| *count);

    println!("{}\n", common.explain()?);
    let (n_words, table) = (words.count(), common.to_frame(["word", "count"])?);
    let (n_words, table) = compute((&n_words, &table))?;
    println!("The commonest of {n_words} words of more than three letters:\n{table}");
    Ok(())
}
