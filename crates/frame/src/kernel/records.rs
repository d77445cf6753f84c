//! Where records and fields of delimited text begin and end, so that a file can be read in blocks, and text in the
//! form that polars understands.
//!
//! Quotes are RFC 4180's, read as Python's `csv` and pandas read what breaks its rules: a quote opens a field only at
//! the field's start, is a character inside an unquoted field, and what follows the end of a quoted field belongs to
//! it. polars counts quotes instead, so that one inch sign swallows rows; [`clean`] therefore writes the records
//! that the two read differently anew, and copies all others.
//!
//! A line end inside quotes ends no record, and whether a byte stands inside quotes depends on every byte before it.
//! [`first_start`] tells from a window of text alone where the first record in it begins, or that it cannot be told.

use memchr::{memchr, memrchr};

/// How fields and records are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between fields.
    pub(crate) separator: u8,
    /// Around fields that hold separators or line ends; `None` where quotes mean nothing.
    pub(crate) quote: Option<u8>,
}

/// What stands before the byte that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    /// Inside a field without quotes around it, or behind the end of a quoted one.
    Plain,
    Quoted,
    /// A quote inside a quoted field: its end, or half of an escaped quote.
    QuoteInQuoted,
    /// A carriage return behind a quoted field: half of a line end.
    Return,
}

/// What a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Part of a field, or a quote around it.
    Content,
    /// A quote that polars would take for one around a field, or text behind the end of a quoted field.
    Odd,
    EndsField,
    EndsRecord,
}

/// Reads text byte by byte, from the start of a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner {
    dialect: Dialect,
    state: State,
}

impl Scanner {
    /// At the start of a record.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, state: State::FieldStart }
    }

    fn step(&mut self, byte: u8) -> Role {
        let is_quote = self.dialect.quote == Some(byte);
        let (state, role) = match self.state {
            State::Quoted if is_quote => (State::QuoteInQuoted, Role::Content),
            State::Quoted => (State::Quoted, Role::Content),
            State::FieldStart | State::QuoteInQuoted if is_quote => (State::Quoted, Role::Content),
            State::Plain | State::Return if is_quote => (State::Plain, Role::Odd),
            _ if byte == b'\n' => (State::FieldStart, Role::EndsRecord),
            _ if byte == self.dialect.separator => (State::FieldStart, Role::EndsField),
            State::QuoteInQuoted if byte == b'\r' => (State::Return, Role::Content),
            State::QuoteInQuoted | State::Return => (State::Plain, Role::Odd),
            State::FieldStart | State::Plain => (State::Plain, Role::Content),
        };
        self.state = state;
        role
    }

    /// Whether what was read ends inside quotes.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Whether records of a text that goes on from here are its lines.
    fn sees_lines(&self, bytes: &[u8]) -> bool {
        matches!(self.state, State::FieldStart | State::Plain) && !has_quotes(bytes, self.dialect)
    }

    /// Reads on from `from`; the offset behind the next line end outside quotes, if there is one.
    pub(crate) fn record_end(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        (from..bytes.len()).find(|&at| self.step(bytes[at]) == Role::EndsRecord).map(|at| at + 1)
    }
}

/// Offset behind the first record end at or after `from`; `bytes` begins at the start of a record.
///
/// **Cost** one pass over `bytes` up to the result; a fast one where there are no quotes.
pub(crate) fn end_after(bytes: &[u8], from: usize, dialect: Dialect) -> Option<usize> {
    let start = match has_quotes(&bytes[..from], dialect) {
        true => 0,
        false => memrchr(b'\n', &bytes[..from]).map_or(0, |at| at + 1),
    };
    let mut ends = ends(&bytes[start..], dialect).map(|(end, ended)| (start + end, ended));
    ends.find_map(|(end, ended)| (ended && end > from).then_some(end))
}

fn has_quotes(bytes: &[u8], dialect: Dialect) -> bool {
    dialect.quote.is_some_and(|quote| memchr(quote, bytes).is_some())
}

/// Offsets behind the records of a text that begins at the start of a record, and whether each has a line end; the last
/// one may have none.
pub(crate) fn ends(bytes: &[u8], dialect: Dialect) -> impl Iterator<Item = (usize, bool)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at == bytes.len() {
            return None;
        }
        let record = Record::read(&bytes[at..], dialect);
        at += record.end;
        Some((at, record.last == Last::LineEnd))
    })
}

/// Whether carriage returns end lines of a text that is one record: one stands in it outside quotes, before its end.
pub(crate) fn has_returns(record: &[u8], dialect: Dialect) -> bool {
    let line = record.strip_suffix(b"\n").unwrap_or(record);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut scanner = Scanner::new(dialect);
    line.iter().any(|&byte| {
        scanner.step(byte);
        byte == b'\r' && !scanner.is_open()
    })
}

/// Whether a text, which begins at the start of a record, ends inside quotes.
pub(crate) fn is_open(bytes: &[u8], dialect: Dialect) -> bool {
    let mut scanner = Scanner::new(dialect);
    let mut from = 0;
    while let Some(end) = scanner.record_end(bytes, from) {
        from = end;
    }
    scanner.is_open()
}

/// What a window of text says about the first record that begins in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// A record begins at this offset.
    At(usize),
    /// No record begins here: a longer window is needed.
    Beyond,
    /// The window may begin inside quotes or outside.
    Unsure,
}

/// The first record that begins at offset 1 or later of a window into a file.
///
/// `window` begins one byte before the place of interest, and `to_the_end` says whether it reaches the end of the
/// file. A window without quotes may lie inside them as well as outside, unless none of it is left for their end.
pub(crate) fn first_start(window: &[u8], to_the_end: bool, dialect: Dialect) -> Start {
    let starts_at = |end: Option<usize>| match end {
        Some(at) => Start::At(at),
        None if to_the_end => Start::At(window.len()),
        None => Start::Beyond,
    };
    if !has_quotes(window, dialect) && (dialect.quote.is_none() || to_the_end) {
        return starts_at(memchr(b'\n', window).map(|at| at + 1));
    }
    // If it began inside quotes, then what follows their end must be the end of the field, and they must end.
    let mut inside = Scanner { dialect, state: State::Quoted };
    let breaks = window.iter().any(|&byte| inside.step(byte) == Role::Odd && dialect.quote != Some(byte));
    let is_open = to_the_end && inside.state == State::Quoted;
    // Outside, all is known but what stands before the first byte.
    if !(breaks || is_open) || dialect.quote == window.first().copied() {
        return Start::Unsure;
    }
    let mut outside = Scanner { dialect, state: State::Plain };
    starts_at(outside.record_end(window, 0))
}

/// Where the blocks of a text begin, found out from its start, piece by piece.
#[derive(Debug)]
pub(crate) struct BlockStarts {
    scanner: Scanner,
    block_bytes: u64,
    /// The first place where a block ends and it is not known where the next begins.
    boundary: u64,
    read_to: u64,
    /// Where the last record begins of which something was read.
    record: u64,
    starts: Vec<u64>,
}

impl BlockStarts {
    /// Of a text whose records begin at `start`, in blocks of so many bytes.
    pub(crate) fn new(start: u64, block_bytes: u64, dialect: Dialect) -> Self {
        Self {
            scanner: Scanner::new(dialect),
            block_bytes,
            boundary: start.saturating_add(block_bytes),
            read_to: start,
            record: start,
            starts: Vec::new(),
        }
    }

    /// Up to where the text was read.
    pub(crate) fn read_to(&self) -> u64 {
        self.read_to
    }

    /// For each block but the first, where the first record begins that begins in it or later, as far as it is known.
    pub(crate) fn starts(&self) -> &[u64] {
        &self.starts
    }

    /// Where the record begins that opens quotes which have not ended yet, if there is one.
    pub(crate) fn open(&self) -> Option<u64> {
        self.scanner.is_open().then_some(self.record)
    }

    /// Reads the next piece of the text, of which `is_last` says whether it is the last.
    ///
    /// **Cost** one pass; a fast one where there are no quotes.
    pub(crate) fn push(&mut self, piece: &[u8], is_last: bool) {
        let offset = self.read_to;
        if self.scanner.sees_lines(piece) {
            if let Some(last) = memrchr(b'\n', piece) {
                let end = offset + last as u64 + 1;
                while self.boundary <= end {
                    let at = (self.boundary - 1).saturating_sub(offset) as usize;
                    let line_end = memchr(b'\n', &piece[at..]).expect("the last one is at or behind it");
                    self.record_ends(offset + (at + line_end) as u64 + 1);
                }
                self.record_ends(end);
            }
            // The rest is one line.
            let line = memrchr(b'\n', piece).unwrap_or(0);
            for &byte in &piece[line..] {
                self.scanner.step(byte);
            }
        } else {
            let mut from = 0;
            while let Some(next) = self.scanner.record_end(piece, from) {
                self.record_ends(offset + next as u64);
                from = next;
            }
        }
        self.read_to = offset + piece.len() as u64;
        while is_last && self.boundary < self.read_to {
            self.next_block_starts_at(self.read_to);
        }
    }

    fn record_ends(&mut self, end: u64) {
        self.record = end;
        while self.boundary <= end {
            self.next_block_starts_at(end);
        }
    }

    fn next_block_starts_at(&mut self, start: u64) {
        self.starts.push(start);
        self.boundary = self.boundary.saturating_add(self.block_bytes);
    }
}

/// The fields of a record, without quotes around them.
pub(crate) fn fields(record: &[u8], dialect: Dialect) -> Vec<Vec<u8>> {
    let mut fields = vec![Vec::new()];
    let mut scanner = Scanner::new(dialect);
    for &byte in without_end(record) {
        let before = scanner.state;
        let role = scanner.step(byte);
        let field = fields.last_mut().expect("one at least");
        match role {
            Role::EndsField => fields.push(Vec::new()),
            Role::EndsRecord => break,
            // Quotes around a field, and the first half of an escaped one.
            Role::Content if scanner.state == State::QuoteInQuoted => {}
            Role::Content if scanner.state == State::Quoted && before == State::FieldStart => {}
            Role::Content | Role::Odd => field.push(byte),
        }
    }
    fields
}

fn without_end(record: &[u8]) -> &[u8] {
    match record.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => record,
    }
}

/// What a text must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) dialect: Dialect,
    /// Fields of a record at most; missing ones are missing values.
    pub(crate) n_fields: usize,
    /// Whether lines without text are no records.
    pub(crate) skip_blank: bool,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// More fields than there are columns.
    Fields(usize),
    /// Quotes that never end.
    Open,
}

/// A text in which polars sees the records that are there.
#[derive(Debug)]
pub(crate) struct Clean {
    pub(crate) text: Vec<u8>,
    pub(crate) n_records: usize,
}

/// Makes a text, which begins at the start of a record, clean; or tells at which offset a flawed record begins.
///
/// **Cost** one pass; only lines with quotes are read byte by byte. Text without blank lines and odd quotes stays in
/// its memory.
pub(crate) fn clean(text: Vec<u8>, rules: Rules) -> Result<Clean, (usize, Flaw)> {
    let Rules { dialect, n_fields, skip_blank } = rules;
    let mut rewritten: Option<Vec<u8>> = None;
    let (mut at, mut copied, mut n_records) = (0, 0, 0);
    while at < text.len() {
        let record = Record::read(&text[at..], dialect);
        if record.last == Last::InsideQuotes {
            return Err((at, Flaw::Open));
        }
        if record.n_fields > n_fields {
            return Err((at, Flaw::Fields(record.n_fields)));
        }
        let end = at + record.end;
        let is_blank = skip_blank && matches!(&text[at..end], b"\n" | b"\r\n" | b"\r");
        if is_blank || record.is_odd {
            let out = rewritten.get_or_insert_with(|| Vec::with_capacity(text.len()));
            out.extend_from_slice(&text[copied..at]);
            if record.is_odd {
                write_record(&text[at..end], dialect, out);
            }
            copied = end;
        }
        n_records += usize::from(!is_blank);
        at = end;
    }
    let text = match rewritten {
        Some(mut out) => {
            out.extend_from_slice(&text[copied..]);
            out
        }
        None => text,
    };
    Ok(Clean { text, n_records })
}

/// What a record ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    LineEnd,
    /// The end of the text.
    Nothing,
    /// The end of the text, inside quotes.
    InsideQuotes,
}

/// What is known of a record once it is read.
#[derive(Debug)]
struct Record {
    end: usize,
    n_fields: usize,
    is_odd: bool,
    last: Last,
}

impl Record {
    /// Reads the record with which a text begins: as [`Scanner`] does, but field by field.
    fn read(text: &[u8], dialect: Dialect) -> Self {
        let (mut at, mut n_fields, mut is_odd) = (0, 1, false);
        // Where there are no quotes, a byte that ends the search anyway.
        let quote = dialect.quote.unwrap_or(b'\n');
        loop {
            let was_quoted = dialect.quote.is_some() && text.get(at) == Some(&quote);
            if was_quoted {
                let Some(behind) = behind_quotes(text, at, quote) else {
                    return Self { end: text.len(), n_fields, is_odd, last: Last::InsideQuotes };
                };
                at = behind;
                // A line end may be two bytes.
                if text.get(at) == Some(&b'\r') && matches!(text.get(at + 1), None | Some(b'\n')) {
                    at += 1;
                }
            }
            loop {
                let ends = |byte: &u8| *byte == dialect.separator || *byte == b'\n' || *byte == quote;
                let plain = text[at..].iter().position(ends).unwrap_or(text.len() - at);
                is_odd |= was_quoted && plain > 0;
                at += plain;
                match text.get(at) {
                    None => return Self { end: at, n_fields, is_odd, last: Last::Nothing },
                    Some(b'\n') => return Self { end: at + 1, n_fields, is_odd, last: Last::LineEnd },
                    Some(&byte) if byte == dialect.separator => break,
                    Some(_) => (is_odd, at) = (true, at + 1),
                }
            }
            n_fields += 1;
            at += 1;
        }
    }
}

/// Offset behind the quotes that open at `at`, if they end.
fn behind_quotes(text: &[u8], at: usize, quote: u8) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let end = from + memchr(quote, &text[from..])?;
        if text.get(end + 1) != Some(&quote) {
            return Some(end + 1);
        }
        from = end + 2;
    }
}

/// Writes a record with its odd fields as quoted ones.
fn write_record(record: &[u8], dialect: Dialect, out: &mut Vec<u8>) {
    let record = without_end(record);
    let mut scanner = Scanner::new(dialect);
    let (mut start, mut is_odd) = (0, false);
    for (at, &byte) in record.iter().enumerate() {
        match scanner.step(byte) {
            Role::Odd => is_odd = true,
            Role::EndsField => {
                write_field(&record[start..at], is_odd, dialect, out);
                out.push(byte);
                (start, is_odd) = (at + 1, false);
            }
            Role::Content | Role::EndsRecord => {}
        }
    }
    write_field(&record[start..], is_odd, dialect, out);
    out.push(b'\n');
}

fn write_field(field: &[u8], is_odd: bool, dialect: Dialect, out: &mut Vec<u8>) {
    let Some(quote) = dialect.quote.filter(|_| is_odd) else {
        out.extend_from_slice(field);
        return;
    };
    out.push(quote);
    for byte in fields(field, dialect).concat() {
        out.extend(std::iter::repeat_n(byte, if byte == quote { 2 } else { 1 }));
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { separator: b',', quote: Some(b'"') };

    /// Rows as Python's `csv` reads them, character by character.
    fn rows(text: &str) -> Vec<Vec<String>> {
        let mut rows = vec![vec![String::new()]];
        let (mut is_quoted, mut was_quoted) = (false, false);
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let field = rows.last_mut().unwrap().last_mut().unwrap();
            match letter {
                '"' if is_quoted && letters.peek() == Some(&'"') => {
                    letters.next();
                    field.push('"');
                }
                '"' if is_quoted => is_quoted = false,
                _ if is_quoted => field.push(letter),
                '"' if field.is_empty() && !was_quoted => (is_quoted, was_quoted) = (true, true),
                ',' => {
                    rows.last_mut().unwrap().push(String::new());
                    was_quoted = false;
                }
                '\r' if letters.peek() == Some(&'\n') => {}
                '\n' => {
                    rows.push(vec![String::new()]);
                    was_quoted = false;
                }
                _ => field.push(letter),
            }
        }
        if text.ends_with('\n') || text.is_empty() {
            rows.pop();
        }
        rows
    }

    /// Texts of up to seven letters of an alphabet in which everything can happen.
    fn all_texts() -> impl Iterator<Item = String> {
        const LETTERS: [&str; 5] = ["a", "\"", ",", "\n", "\r\n"];
        (0..=6_u32).flat_map(|length| {
            (0..5_usize.pow(length))
                .map(move |code| (0..length).map(|place| LETTERS[code / 5_usize.pow(place) % 5]).collect())
        })
    }

    #[test]
    fn records_and_fields_of_every_short_text_are_those_of_python() {
        for text in all_texts().filter(|text| !is_open(text.as_bytes(), COMMA)) {
            let mut from = 0;
            let found: Vec<Vec<String>> = ends(text.as_bytes(), COMMA)
                .map(|(end, _)| {
                    let record = fields(&text.as_bytes()[from..end], COMMA);
                    from = end;
                    record.into_iter().map(|field| String::from_utf8(field).unwrap()).collect()
                })
                .collect();
            assert_eq!(found, rows(&text), "{text:?}");
        }
    }

    #[test]
    fn records_read_field_by_field_are_those_read_byte_by_byte() {
        let texts = all_texts().chain(["\"a\"\r".into(), "\"a\"\rb\n".into(), "a\rb,\"c\"\r\"d\"\n".into()]);
        for text in texts {
            let bytes = text.as_bytes();
            let mut scanner = Scanner::new(COMMA);
            let (mut n_fields, mut is_odd, mut end) = (1, false, None);
            for (at, &byte) in bytes.iter().enumerate() {
                match scanner.step(byte) {
                    Role::EndsRecord => {
                        end = Some(at + 1);
                        break;
                    }
                    Role::EndsField => n_fields += 1,
                    Role::Odd => is_odd = true,
                    Role::Content => {}
                }
            }
            let last = match end {
                Some(_) => Last::LineEnd,
                None if scanner.is_open() => Last::InsideQuotes,
                None => Last::Nothing,
            };
            let found = Record::read(bytes, COMMA);
            assert_eq!(
                (found.end, found.n_fields, found.last),
                (end.unwrap_or(bytes.len()), n_fields, last),
                "{text:?}"
            );
            // A carriage return alone behind quotes is odd only because of what follows it.
            assert!(found.is_odd == is_odd || text.contains("\"\r"), "{text:?}");
        }
    }

    #[test]
    fn clean_text_has_the_same_fields_and_no_odd_quotes() {
        let rules = Rules { dialect: COMMA, n_fields: 9, skip_blank: false };
        for text in all_texts() {
            match clean(text.clone().into_bytes(), rules) {
                Err((_, Flaw::Open)) => assert!(is_open(text.as_bytes(), COMMA), "{text:?}"),
                Err(other) => panic!("{text:?}: {other:?}"),
                Ok(clean) => {
                    let found = String::from_utf8(clean.text).unwrap();
                    assert_eq!(rows(&found), rows(&text), "{text:?} {found:?}");
                    assert_eq!(clean.n_records, rows(&text).len(), "{text:?}");
                    let mut scanner = Scanner::new(COMMA);
                    assert!(found.bytes().all(|byte| scanner.step(byte) != Role::Odd), "{text:?} {found:?}");
                }
            }
        }
    }

    #[test]
    fn blank_lines_are_left_out_and_surplus_fields_are_found() {
        let rules = Rules { dialect: COMMA, n_fields: 2, skip_blank: true };
        let clean =
            |text: &str| clean(text.as_bytes().to_vec(), rules).map(|clean| (clean.text, clean.n_records));
        assert_eq!(clean("a,b\n\n\r\nc\n\n").unwrap(), (b"a,b\nc\n".to_vec(), 2));
        assert_eq!(clean("a,b\nc,\"d,e\",f\n"), Err((4, Flaw::Fields(3))));
        assert_eq!(clean("a,b\nc,\"d"), Err((4, Flaw::Open)));
        assert_eq!(clean("\"\n\n\",b\n").unwrap().1, 1);
    }

    #[test]
    fn the_start_is_found_or_said_to_be_unsure_at_every_offset() {
        let mut text = Vec::new();
        for row in 0..40 {
            let line = match row % 6 {
                0 => format!("{row},plain,{row}\n"),
                1 => format!("{row},\"two\nlines, and a comma\",x\r\n"),
                2 => format!("{row},\"he said \"\"no\"\"\",\"\"\n"),
                3 => format!("\"{row}\",\"\n\n\",y\n"),
                4 => format!("{row},{row}\",5\" pipe\n"),
                _ => format!("{row},,\n"),
            };
            text.extend_from_slice(line.as_bytes());
        }
        let mut starts = vec![0];
        starts.extend(ends(&text, COMMA).map(|(end, _)| end));
        let mut n_sure = 0;
        for from in 1..text.len() {
            let expected = starts.iter().copied().find(|&start| start >= from).unwrap();
            match first_start(&text[from - 1..], true, COMMA) {
                Start::At(at) => {
                    assert_eq!(at, expected - (from - 1), "from {from}");
                    n_sure += 1;
                }
                Start::Unsure => {}
                Start::Beyond => panic!("from {from}"),
            }
        }
        assert!(n_sure > text.len() / 4, "{n_sure} of {}", text.len());
        for &start in &starts[..starts.len() - 1] {
            for from in start..text.len() {
                let expected = starts.iter().copied().find(|&s| s > from);
                let found = end_after(&text[start..], from - start, COMMA).map(|end| end + start);
                assert_eq!(found, expected, "record at {start}, from {from}");
            }
        }
    }

    #[test]
    fn blocks_begin_with_the_records_whatever_the_pieces() {
        for text in all_texts().filter(|text| !text.is_empty()) {
            let bytes = text.as_bytes();
            let starts: Vec<u64> = ends(bytes, COMMA).map(|(end, _)| end as u64 + 7).collect();
            for block_bytes in 1..=3_u64 {
                let n_blocks = (bytes.len() as u64).div_ceil(block_bytes);
                let start = |block| starts.iter().copied().find(|&start| start >= 7 + block * block_bytes);
                let expected: Vec<u64> =
                    (1..n_blocks).map(|block| start(block).expect("the end is one")).collect();
                for piece in [1, 2, 5, 99] {
                    let mut found = BlockStarts::new(7, block_bytes, COMMA);
                    let pieces = bytes.len().div_ceil(piece);
                    for (number, piece) in bytes.chunks(piece).enumerate() {
                        found.push(piece, number + 1 == pieces);
                    }
                    let found = (&found.starts()[..expected.len()], found.open().is_some());
                    assert_eq!(
                        found,
                        (&expected[..], is_open(bytes, COMMA)),
                        "{text:?} in {block_bytes}, {piece}"
                    );
                }
            }
        }
    }

    #[test]
    fn without_quotes_every_line_end_counts() {
        let dialect = Dialect { separator: b';', quote: None };
        assert_eq!(end_after(b"a\"b\nc", 0, dialect), Some(4));
        assert_eq!(first_start(b"a\"b\nc;d\n", true, dialect), Start::At(4));
        assert_eq!(end_after(b"abc", 1, dialect), None);
        assert_eq!(fields(b"a\";b\r\n", dialect), [b"a\"".to_vec(), b"b".to_vec()]);
    }

    #[test]
    fn a_window_that_says_too_little_says_so() {
        let unquoted = Dialect { quote: None, ..COMMA };
        assert_eq!(first_start(b"abcdef", false, unquoted), Start::Beyond);
        // All of it may stand in one quoted field, unless that would never end.
        assert_eq!(first_start(b"ab\ncdef", false, COMMA), Start::Unsure);
        assert_eq!(first_start(b"ab\ncdef", true, COMMA), Start::At(3));
        assert_eq!(first_start(b"abcdef", true, COMMA), Start::At(6));
        // `a` and `b` may stand in one quoted field or in two.
        assert_eq!(first_start(b"\na\n\"\nb\n\"\n", false, COMMA), Start::Unsure);
    }
}
