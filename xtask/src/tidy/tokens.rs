//! Rust source as a tree of tokens, just fine enough to find its items: comments are gone and literals are empty.

use super::source::{self, Line};

/// A token with the line (from 1) on which it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a keyword; a raw name without its `r#`.
    Word(String),
    /// A lifetime or a label, without the quote.
    Lifetime(String),
    /// A number, a character or a text.
    Literal,
    /// One character of punctuation.
    Sign(char),
    /// What stands between a pair of brackets, named by the opening one.
    Group(char, Vec<Token>),
}

impl Token {
    /// Whether this is that name or keyword.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }

    /// Whether this is that character of punctuation.
    pub(super) fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// The name or keyword that this is.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether this or a token inside it is one that is looked for.
    pub(super) fn any(&self, wanted: &impl Fn(&Token) -> bool) -> bool {
        let inside = if let Kind::Group(_, inside) = &self.kind { inside.as_slice() } else { &[] };
        wanted(self) || inside.iter().any(|token| token.any(wanted))
    }

    /// What stands between these brackets.
    pub(super) fn group(&self, bracket: char) -> Option<&[Token]> {
        match &self.kind {
            Kind::Group(own, tokens) if *own == bracket => Some(tokens),
            _ => None,
        }
    }
}

/// Reads a whole file. A closing bracket too many is skipped, a missing one ends with the file: the compiler reports both.
pub(super) fn tokens(content: &str) -> Vec<Token> {
    let characters = characters(&source::lines(content));
    let mut open: Vec<(usize, char, Vec<Token>)> = vec![(1, '{', Vec::new())];
    let mut at = 0;
    while at < characters.len() {
        let (line, character) = characters[at];
        let taken = match character {
            '(' | '[' | '{' => {
                open.push((line, character, Vec::new()));
                1
            }
            ')' | ']' | '}' => {
                close(&mut open);
                1
            }
            _ => {
                let (kind, taken) = plain(&characters[at..]);
                let (_, _, inside) = open.last_mut().expect("the file itself is never closed");
                inside.extend(kind.map(|kind| Token { line, kind }));
                taken
            }
        };
        at += taken;
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().map_or(Vec::new(), |(_, _, tokens)| tokens)
}

fn characters(lines: &[Line]) -> Vec<(usize, char)> {
    let numbered = lines.iter().enumerate();
    numbered.flat_map(|(index, line)| line.code.chars().chain(['\n']).map(move |c| (index + 1, c))).collect()
}

fn close(open: &mut Vec<(usize, char, Vec<Token>)>) {
    if open.len() > 1
        && let Some((line, bracket, tokens)) = open.pop()
        && let Some((_, _, outer)) = open.last_mut()
    {
        outer.push(Token { line, kind: Kind::Group(bracket, tokens) });
    }
}

/// The token that begins here, unless it is a blank, and how many characters it has.
fn plain(rest: &[(usize, char)]) -> (Option<Kind>, usize) {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let word = |from: usize| rest[from..].iter().take_while(|(_, c)| part(*c)).count();
    let text = |from: usize, length: usize| rest[from..from + length].iter().map(|(_, c)| *c).collect();
    let next = |at: usize| rest.get(at).map_or(' ', |(_, c)| *c);
    match next(0) {
        c if c.is_whitespace() => (None, 1),
        'r' if next(1) == '#' && part(next(2)) => (Some(Kind::Word(text(2, word(2)))), 2 + word(2)),
        // A number, its fraction and its type; of `1..2` only the 1.
        c if c.is_ascii_digit() => match next(word(0)) == '.' && next(word(0) + 1).is_ascii_digit() {
            true => (Some(Kind::Literal), word(0) + 1 + word(word(0) + 1)),
            false => (Some(Kind::Literal), word(0)),
        },
        c if part(c) => match word(0) == 1 && matches!(c, 'b' | 'c') && matches!(next(1), '"' | '\'') {
            true => (None, 1),
            false => (Some(Kind::Word(text(0, word(0)))), word(0)),
        },
        // Both quotes of a literal are left of it, whatever lines lie between.
        '"' => (Some(Kind::Literal), rest[1..].iter().position(|(_, c)| *c == '"').map_or(1, |end| end + 2)),
        '\'' if next(1) == '\'' => (Some(Kind::Literal), 2),
        '\'' => (Some(Kind::Lifetime(text(1, word(1)))), 1 + word(1)),
        c => (Some(Kind::Sign(c)), 1),
    }
}

/// The tokens as one would write them: for messages and tests.
pub(super) fn written(tokens: &[Token]) -> String {
    let words: Vec<String> = tokens
        .iter()
        .map(|token| match &token.kind {
            Kind::Word(word) => word.clone(),
            Kind::Lifetime(name) => format!("'{name}"),
            Kind::Literal => "\"\"".to_owned(),
            Kind::Sign(sign) => sign.to_string(),
            Kind::Group(bracket, inside) => {
                let end = match bracket {
                    '(' => ')',
                    '[' => ']',
                    _ => '}',
                };
                format!("{bracket}{}{end}", written(inside))
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(written(&tokens(source)), expected, "{source}");
    }

    #[test]
    fn source_becomes_a_tree() {
        check("f(a, [b; 2]) { /* } */ c }", "f (a , [b ; \"\"]) {c}");
        check("let x = 1.5e3 + 2..3; // no", "let x = \"\" + \"\" . . \"\" ;");
        check(
            "g::<'a, u8>('x', b'y', \"z\nz\", br#\"(\"#, r#type)",
            "g : : < 'a , u8 > (\"\" , \"\" , \"\" , \"\" , type)",
        );
        check("a) } b ( c", "a b (c)");
    }

    #[test]
    fn lines_are_known() {
        let found = tokens("a\n\nb(\nc)");
        assert_eq!(found.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 3, 3]);
        assert_eq!(found[2].group('(').unwrap()[0].line, 4);
    }
}
