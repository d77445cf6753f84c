//! Tables of what others write and what one writes here: the right column must stand in a program that the tests compile.

use super::Problem;

/// Each row whose right cell is no line of a Rust program in the same section.
pub(super) fn unproved(content: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut claims: Vec<(usize, String)> = Vec::new();
    let mut program = String::new();
    let mut language = None;
    for (index, line) in content.lines().chain(["## end"]).enumerate() {
        if let Some(opened) = line.strip_prefix("```") {
            language = if language.is_some() { None } else { Some(opened) };
        } else if language == Some("rust") {
            program.push_str(line);
            program.push('\n');
        } else if language.is_none() && line.starts_with("## ") {
            let missing = claims.drain(..).filter(|(_, claim)| !program.contains(claim.as_str()));
            problems.extend(missing.map(|(line, claim)| {
                Problem::new(line, format!("`{claim}` stands in no program of its section"))
            }));
            program.clear();
        } else if language.is_none() {
            claims.extend(right_cell(line).map(|claim| (index + 1, claim)));
        }
    }
    problems
}

/// The code in the last cell of a row, where a bar is written `\|`.
fn right_cell(line: &str) -> Option<String> {
    let row = line.strip_prefix('|')?.trim_end().strip_suffix('|')?;
    let from = row.char_indices().rev().find(|(at, c)| *c == '|' && !row[..*at].ends_with('\\'))?.0 + 1;
    let code = row[from..].trim().strip_prefix('`')?.strip_suffix('`')?;
    Some(code.replace("\\|", "|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_column_is_compiled() {
        let table = "## A\n| Dask | musher |\n|---|---|\n| `x.map(f)` | `x.map(\\|y\\| y);` |\n";
        assert!(unproved(&format!("{table}\n```rust\nx.map(|y| y);\n```\n")).is_empty());
        for program in [
            "```rust\nx.map();\n```\n",
            "```text\nx.map(|y| y);\n```\n",
            "## B\n```rust\nx.map(|y| y);\n```\n",
        ] {
            assert_eq!(
                unproved(&format!("{table}{program}")).iter().map(|p| p.line).collect::<Vec<_>>(),
                [4],
                "{program}"
            );
        }
    }

    #[test]
    fn words_in_the_right_column_claim_nothing() {
        assert!(unproved("| a | b |\n| `x` | none yet |\n").is_empty());
    }
}
