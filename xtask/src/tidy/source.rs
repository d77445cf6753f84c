//! Splits Rust source into what runs and what is said: a rule about code must not stumble over a comment or a string.

/// One line of a source file; what stands in string and character literals is in neither part.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    pub(super) code: String,
    pub(super) comment: String,
}

/// Where the scanner stands between two characters.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

/// Splits a source file line by line.
pub(super) fn lines(source: &str) -> Vec<Line> {
    source_scanner(&source.chars().collect::<Vec<_>>())
}

fn source_scanner(source: &[char]) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    let mut mode = Mode::Code;
    let mut at = 0;
    while at < source.len() {
        if source[at] == '\n' {
            lines.push(Line::default());
            mode = if mode == Mode::LineComment { Mode::Code } else { mode };
            at += 1;
            continue;
        }
        let line = lines.last_mut().expect("there is always a line");
        let (next, taken) = step(mode, &source[at..], line);
        mode = next;
        at += taken;
    }
    lines
}

/// Reads the next piece in a mode, files it, and gives the next mode and the number of characters read.
fn step(mode: Mode, rest: &[char], line: &mut Line) -> (Mode, usize) {
    match mode {
        Mode::Code => step_code(rest, line),
        Mode::LineComment => {
            line.comment.push(rest[0]);
            (mode, 1)
        }
        Mode::BlockComment { depth } => match rest {
            ['*', '/', ..] if depth == 1 => (Mode::Code, 2),
            ['*', '/', ..] => (Mode::BlockComment { depth: depth - 1 }, 2),
            ['/', '*', ..] => (Mode::BlockComment { depth: depth + 1 }, 2),
            _ => {
                line.comment.push(rest[0]);
                (mode, 1)
            }
        },
        Mode::Text => match rest {
            ['\\', next, ..] if *next != '\n' => (mode, 2),
            ['"', ..] => {
                line.code.push('"');
                (Mode::Code, 1)
            }
            _ => (mode, 1),
        },
        Mode::RawText { hashes } => match closes_raw(rest, hashes) {
            true => {
                line.code.push('"');
                (Mode::Code, 1 + hashes)
            }
            false => (mode, 1),
        },
    }
}

fn step_code(rest: &[char], line: &mut Line) -> (Mode, usize) {
    match rest {
        ['/', '/', ..] => (Mode::LineComment, 2),
        ['/', '*', ..] => (Mode::BlockComment { depth: 1 }, 2),
        ['"', ..] => {
            line.code.push('"');
            (Mode::Text, 1)
        }
        ['r', ..] if !ends_in_word(&line.code) || ends_in_byte_prefix(&line.code) => match opens_raw(rest) {
            Some(hashes) => {
                line.code.push('"');
                (Mode::RawText { hashes }, 2 + hashes)
            }
            None => take(rest, line),
        },
        ['\'', ..] => match character_length(rest) {
            Some(length) => {
                line.code.push_str("''");
                (Mode::Code, length)
            }
            None => take(rest, line),
        },
        _ => take(rest, line),
    }
}

fn take(rest: &[char], line: &mut Line) -> (Mode, usize) {
    line.code.push(rest[0]);
    (Mode::Code, 1)
}

fn ends_in_word(code: &str) -> bool {
    code.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_')
}

/// `br"..."` and `cr"..."`: the letter before the `r` is a word of its own.
fn ends_in_byte_prefix(code: &str) -> bool {
    code.strip_suffix(['b', 'c']).is_some_and(|before| !ends_in_word(before))
}

/// The number of `#` when a raw string begins here; `r#name` is a raw identifier, not a string.
fn opens_raw(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    (rest.get(1 + hashes) == Some(&'"')).then_some(hashes)
}

fn closes_raw(rest: &[char], hashes: usize) -> bool {
    rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#')
}

/// The length of a character literal that begins here; `None` for a lifetime.
fn character_length(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, tail @ ..] => tail.iter().take(10).position(|c| *c == '\'').map(|end| end + 4),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// Whether `word` stands in `code` as a word of its own, not as a part of a longer name.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(part)
            && !code[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code and the comment of each line, as one would write them down.
    #[track_caller]
    fn check(source: &str, expected: &[(&str, &str)]) {
        let found = lines(source);
        let found: Vec<_> = found.iter().map(|line| (line.code.as_str(), line.comment.as_str())).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn comments_and_code_are_told_apart() {
        check("a(); // b", &[("a(); ", " b")]);
        check("/* x /* y */ z */ a", &[(" a", " x  y  z ")]);
        check("/* x\n y */ a\nb", &[("", " x"), (" a", " y "), ("b", "")]);
        check("//! head\nfn", &[("", "! head"), ("fn", "")]);
    }

    #[test]
    fn literals_are_emptied() {
        check(r#"f("// no \" todo!(");"#, &[(r#"f("");"#, "")]);
        check("f(\"a\\\\\") // b", &[("f(\"\") ", " b")]);
        check("\"a\n// b\" c", &[("\"", ""), ("\" c", "")]);
        check("r#\"a \" // b\"# c", &[("\"\" c", "")]);
        check("br\"a\\\" c", &[("b\"\" c", "")]);
        check("r#type + var\"x\"", &[("r#type + var\"\"", "")]);
        check("'\"' '\\'' '\\u{1F600}' b'/'", &[("'' '' '' b''", "")]);
        check(
            "fn f<'a>(x: &'a str) { 'l: loop {} } // '",
            &[("fn f<'a>(x: &'a str) { 'l: loop {} } ", " '")],
        );
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("use crate::Key;", "Key"));
        assert!(!has_word("Keyed MonKey Key_2", "Key"));
        assert!(has_word("Keyed<Key>", "Key"));
    }
}
