//! Rules about any text: what must never be in the project, and Markdown's white space.

use super::Problem;

/// Places of one machine and of mirrors: the project stands alone. Written in two halves, so that this file passes, too.
const FORBIDDEN: [[&str; 2]; 7] = [
    ["/wo", "rk/"],
    ["/tmp/ba", "sh"],
    ["/tmp/tar", "get-"],
    ["/ro", "ot/"],
    ["/ho", "me/"],
    ["artif", "actory"],
    [".inter", "nal/"],
];

/// Whether a file holds text that a person wrote or reads.
pub(super) fn is_text(path: &str) -> bool {
    const ENDINGS: [&str; 12] =
        [".rs", ".md", ".toml", ".lock", ".py", ".sh", ".yml", ".yaml", ".json", ".txt", "/run", "-MIT"];
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// Finds what ties the project to one machine.
pub(super) fn forbidden(content: &str) -> Vec<Problem> {
    let words = FORBIDDEN.map(|halves| halves.concat());
    let numbered = content.lines().enumerate();
    let found = numbered.filter_map(|(index, line)| {
        let word = words.iter().find(|word| line.contains(*word))?;
        Some(Problem::new(index + 1, format!("`{word}` is the place of one machine")))
    });
    found.collect()
}

/// Markdown ends its lines where the text ends, and the file with one line end.
pub(super) fn markdown(content: &str) -> Vec<Problem> {
    let numbered = content.lines().enumerate();
    let blanks = numbered.filter(|(_, line)| line.ends_with([' ', '\t']));
    let mut problems: Vec<_> =
        blanks.map(|(index, _)| Problem::new(index + 1, "blanks at the end of the line")).collect();
    if !content.ends_with('\n') || content.ends_with("\n\n") {
        problems.push(Problem::new(0, "a file ends with one line end"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_a_machine_are_found() {
        let line = format!("a\nsee {}main\n", FORBIDDEN[0].concat());
        assert_eq!(forbidden(&line)[0].line, 2);
        assert!(forbidden("target/work and /tmp/x, networks/").is_empty());
    }

    #[test]
    fn markdown_has_no_loose_ends() {
        assert!(markdown("# A\n\ntext\n").is_empty());
        assert_eq!(markdown("# A \ntext\t\n").iter().map(|p| p.line).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(markdown("# A").len(), 1);
        assert_eq!(markdown("# A\n\n").len(), 1);
    }

    #[test]
    fn binary_files_are_left_alone() {
        assert!(is_text("README.md") && is_text(".ci/run") && is_text("LICENSE-MIT"));
        assert!(!is_text("examples/data/hubble/image-0-0.png") && !is_text("a.npy"));
    }
}
