//! Where records of delimited text begin and end, so that a file can be read in blocks.
//!
//! A line end inside quotes ends no record, and whether a byte stands inside quotes depends on every byte before
//! it. Reading everything before a block to find out would read a file twice. Instead the begin of a block is
//! *guessed* by [`first_start`] from a window of text that only one of the two hypotheses (the window begins
//! inside quotes, or outside) explains, and then *checked*: the reader of the block before computes the exact end
//! of its last record by [`end_after`] and compares. As the first block begins at the file's known first record,
//! each block that agrees with its successor proves the successor's begin.

/// How fields and records are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between fields.
    pub(crate) separator: u8,
    /// Around fields that hold separators or line ends; `None` where quotes mean nothing.
    pub(crate) quote: Option<u8>,
}

/// What a window of text says about the first record that begins in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// A record begins at this offset.
    At(usize),
    /// No record begins here: a longer window is needed.
    Beyond,
    /// Both hypotheses explain the window: a longer window is needed.
    Ambiguous,
}

/// Offset behind the first line end outside quotes at or after `from`.
///
/// `bytes` begins at the start of a record, and `from` lies in it; `None` if there is no such line end.
/// Quotes are counted as polars counts them: each one toggles.
///
/// Cost: one pass over `bytes` up to the result.
pub(crate) fn end_after(bytes: &[u8], from: usize, dialect: Dialect) -> Option<usize> {
    let Some(quote) = dialect.quote else {
        return bytes[from..].iter().position(|&byte| byte == b'\n').map(|at| from + at + 1);
    };
    let mut inside = count(&bytes[..from], quote) % 2 == 1;
    for (at, &byte) in bytes[from..].iter().enumerate() {
        if byte == quote {
            inside = !inside;
        } else if byte == b'\n' && !inside {
            return Some(from + at + 1);
        }
    }
    None
}

/// Offsets behind the records of a text that begins at the start of a record, the last one perhaps unended.
pub(crate) fn ends(bytes: &[u8], dialect: Dialect) -> impl Iterator<Item = usize> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        if from == bytes.len() {
            return None;
        }
        from += end_after(&bytes[from..], 0, dialect).unwrap_or(bytes.len() - from);
        Some(from)
    })
}

/// How often a byte occurs; written so that it is vectorized: a byte-wide count in pieces of 255.
fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes
        .chunks(255)
        .map(|piece| usize::from(piece.iter().map(|&byte| u8::from(byte == wanted)).sum::<u8>()))
        .sum()
}

/// The first record that begins at offset 1 or later of a window into a file.
///
/// `window` begins one byte before the place of interest, `to_the_end` says whether it reaches the end of the
/// file, and `n_fields` is the number of fields of every record.
pub(crate) fn first_start(window: &[u8], to_the_end: bool, n_fields: usize, dialect: Dialect) -> Start {
    let outside = explain(window, false, n_fields, dialect);
    let no_quote = dialect.quote.is_none_or(|quote| !window.contains(&quote));
    let chosen = if no_quote {
        outside
    } else {
        let inside = explain(window, true, n_fields, dialect);
        match (outside.fits, inside.fits) {
            (true, true) if outside.start == inside.start => outside,
            // At the end of the file an open quote explains nothing.
            (true, true) if to_the_end && inside.open && !outside.open => outside,
            (true, true) if to_the_end && outside.open && !inside.open => inside,
            (true, true) => return Start::Ambiguous,
            (false, true) => inside,
            // Where neither fits the parser will say what is wrong.
            (true | false, false) => outside,
        }
    };
    match chosen.start {
        Some(at) => Start::At(at),
        None if to_the_end => Start::At(window.len()),
        None => Start::Beyond,
    }
}

/// What one hypothesis makes of a window.
#[derive(Debug, Clone, Copy)]
struct Explanation {
    /// Where the first record begins.
    start: Option<usize>,
    /// Whether all quotes stand where quotes may, and all whole records have the right number of fields.
    fits: bool,
    /// Whether the window ends inside quotes.
    open: bool,
}

/// What stands before the byte that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Anything outside quotes: the window has just begun.
    Unknown,
    FieldStart,
    Plain,
    Quoted,
    /// A quote inside a quoted field: its end, or half of an escaped quote.
    QuoteInQuoted,
    /// A carriage return behind a quoted field.
    Return,
}

fn explain(window: &[u8], inside: bool, n_fields: usize, dialect: Dialect) -> Explanation {
    let mut state = if inside { State::Quoted } else { State::Unknown };
    let (mut start, mut fits) = (None, true);
    let (mut n_separators, mut record_bytes) = (0, 0);
    for (at, &byte) in window.iter().enumerate() {
        let is_quote = dialect.quote == Some(byte);
        let ends_field = byte == dialect.separator || byte == b'\n';
        state = match state {
            State::Quoted if is_quote => State::QuoteInQuoted,
            State::Quoted => State::Quoted,
            State::QuoteInQuoted if is_quote => State::Quoted,
            State::Unknown | State::FieldStart if is_quote => State::Quoted,
            State::Plain | State::Return if is_quote => {
                fits = false;
                State::Quoted
            }
            _ if byte == b'\n' => {
                // The record in which the window begins is seen in part only; empty lines are no records.
                if start.is_some() && record_bytes > 0 {
                    fits &= n_separators + 1 == n_fields;
                }
                start = start.or(Some(at + 1));
                (n_separators, record_bytes) = (0, 0);
                State::FieldStart
            }
            _ if ends_field => {
                n_separators += 1;
                record_bytes += 1;
                State::FieldStart
            }
            State::QuoteInQuoted if byte == b'\r' => State::Return,
            State::QuoteInQuoted | State::Return => {
                fits = false;
                State::Plain
            }
            State::Unknown | State::FieldStart | State::Plain => {
                record_bytes += usize::from(byte != b'\r');
                State::Plain
            }
        };
        if matches!(state, State::Quoted | State::QuoteInQuoted) {
            record_bytes += 1;
        }
    }
    Explanation { start, fits, open: state == State::Quoted }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { separator: b',', quote: Some(b'"') };

    /// Every record start of a text, by one pass from its begin.
    fn starts(text: &[u8]) -> Vec<usize> {
        let mut starts = vec![0];
        let (mut at, mut inside) = (0, false);
        while at < text.len() {
            inside ^= text[at] == b'"';
            at += 1;
            if text[at - 1] == b'\n' && !inside {
                starts.push(at);
            }
        }
        starts
    }

    #[test]
    fn the_start_is_found_at_every_offset_of_a_text_with_quoted_line_ends() {
        let mut text = Vec::new();
        for row in 0..40 {
            let line = match row % 5 {
                0 => format!("{row},plain,{row}\n"),
                1 => format!("{row},\"two\nlines, and a comma\",x\r\n"),
                2 => format!("{row},\"he said \"\"no\"\"\",\"\"\n"),
                3 => format!("\"{row}\",\"\n\n\",y\n"),
                _ => format!("{row},,\n"),
            };
            text.extend_from_slice(line.as_bytes());
        }
        let starts = starts(&text);
        for from in 1..text.len() {
            let expected = starts.iter().copied().find(|&start| start >= from).unwrap_or(text.len());
            let found = first_start(&text[from - 1..], true, 3, COMMA);
            assert_eq!(found, Start::At(expected - (from - 1)), "from {from}");
        }
        for &start in &starts {
            for from in start..text.len() {
                let expected = starts.iter().copied().find(|&s| s > from);
                let found = end_after(&text[start..], from - start, COMMA).map(|end| end + start);
                assert_eq!(found, expected, "record at {start}, from {from}");
            }
        }
    }

    #[test]
    fn without_quotes_every_line_end_counts() {
        let dialect = Dialect { separator: b';', quote: None };
        assert_eq!(end_after(b"a\"b\nc", 0, dialect), Some(4));
        assert_eq!(first_start(b"a\"b\nc;d\n", true, 2, dialect), Start::At(4));
        assert_eq!(end_after(b"abc", 1, dialect), None);
    }

    #[test]
    fn a_window_that_says_too_little_says_so() {
        assert_eq!(first_start(b"abcdef", false, 3, COMMA), Start::Beyond);
        assert_eq!(first_start(b"abcdef", true, 3, COMMA), Start::At(6));
        // One column: `a` and `b` may stand in one quoted field or in two.
        assert_eq!(first_start(b"\na\n\"\nb\n\"\n", false, 1, COMMA), Start::Ambiguous);
    }

    #[test]
    fn long_runs_of_quotes_are_counted() {
        assert_eq!(count(&[b'"'; 1000], b'"'), 1000);
        assert_eq!(count(&[b'a'; 1000], b'"'), 0);
    }
}
