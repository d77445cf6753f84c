//! Expands macros by example, so that a list of public names also has those that a macro defines.
//!
//! It knows what tables of functions need: words, literals, types, expressions, attributes, repetitions. A macro that it
//! cannot match gives `None`.

use std::collections::BTreeMap;

use super::tokens::{Kind, Token};

/// The rules of a `macro_rules!`: patterns and what they become.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    rules: Vec<(Vec<Token>, Vec<Token>)>,
}

/// What a metavariable stands for.
#[derive(Clone, Debug)]
enum Bound {
    One(Vec<Token>),
    Many(Vec<Bound>),
}

type Bindings = BTreeMap<String, Bound>;

impl Rules {
    /// Reads the body of a `macro_rules!`.
    pub(super) fn new(body: &[Token]) -> Self {
        let groups: Vec<&[Token]> = body
            .iter()
            .filter_map(|token| ['(', '[', '{'].iter().find_map(|bracket| token.group(*bracket)))
            .collect();
        let rules = groups.chunks_exact(2).map(|rule| (rule[0].to_vec(), rule[1].to_vec()));
        Self { rules: rules.collect() }
    }

    /// Whether some rule defines functions that may be public.
    pub(super) fn defines_functions(&self) -> bool {
        self.rules.iter().any(|(_, body)| has_word(body, "fn"))
    }

    /// What a call with these arguments becomes.
    pub(super) fn expand(&self, arguments: &[Token]) -> Option<Vec<Token>> {
        let matched = self.rules.iter().find_map(|(pattern, body)| {
            let (bindings, used) = matches(pattern, arguments)?;
            (used == arguments.len()).then_some((bindings, body))
        });
        let (bindings, body) = matched?;
        transcribe(body, &bindings)
    }
}

fn has_word(tokens: &[Token], word: &str) -> bool {
    tokens.iter().any(|token| match &token.kind {
        Kind::Group(_, inside) => has_word(inside, word),
        _ => token.is_word(word),
    })
}

/// A repetition `$( .. ) separator *` at the front: what repeats, the separator, and how many tokens it takes.
fn repetition(tokens: &[Token]) -> Option<(&[Token], Option<&Token>, usize)> {
    let [dollar, group, rest @ ..] = tokens else { return None };
    let inside = group.group('(').filter(|_| dollar.is_sign('$'))?;
    let ends = |token: &Token| ['*', '+', '?'].iter().any(|sign| token.is_sign(*sign));
    match rest {
        [end, ..] if ends(end) => Some((inside, None, 3)),
        [separator, end, ..] if ends(end) => Some((inside, Some(separator), 4)),
        _ => None,
    }
}

/// A metavariable `$name` or `$name:fragment` at the front.
fn variable(tokens: &[Token]) -> Option<(&str, Option<&str>)> {
    match tokens {
        [dollar, name, colon, fragment, ..] if dollar.is_sign('$') && colon.is_sign(':') => {
            Some((name.word()?, fragment.word()))
        }
        [dollar, name, ..] if dollar.is_sign('$') => Some((name.word()?, None)),
        _ => None,
    }
}

/// Matches a pattern with the front of the arguments: what it binds, and how many arguments it takes.
fn matches(pattern: &[Token], arguments: &[Token]) -> Option<(Bindings, usize)> {
    let mut bindings = Bindings::new();
    let (mut at, mut used) = (0, 0);
    while at < pattern.len() {
        let rest = &arguments[used..];
        if let Some((inside, separator, length)) = repetition(&pattern[at..]) {
            let (repeated, taken) = repeat(inside, separator, rest);
            bindings.extend(repeated);
            at += length;
            used += taken;
        } else if let Some((name, Some(fragment))) = variable(&pattern[at..]) {
            let taken = fragment_length(fragment, rest)?;
            bindings.insert(name.to_owned(), Bound::One(rest[..taken].to_vec()));
            at += 4;
            used += taken;
        } else {
            match (&pattern[at].kind, &rest.first()?.kind) {
                (Kind::Group(wanted, inner), Kind::Group(found, given)) if wanted == found => {
                    let (bound, taken) = matches(inner, given)?;
                    bindings.extend((taken == given.len()).then_some(bound)?);
                }
                (wanted, found) if wanted == found => {}
                _ => return None,
            }
            at += 1;
            used += 1;
        }
    }
    Some((bindings, used))
}

/// As often as it goes.
fn repeat(inside: &[Token], separator: Option<&Token>, arguments: &[Token]) -> (Bindings, usize) {
    let mut names = Vec::new();
    variables(inside, &mut names);
    let mut bindings: Bindings = names.into_iter().map(|name| (name, Bound::Many(Vec::new()))).collect();
    let mut used = 0;
    while let Some((bound, taken)) = matches(inside, &arguments[used..]).filter(|(_, taken)| *taken > 0) {
        for (name, value) in bound {
            if let Some(Bound::Many(all)) = bindings.get_mut(&name) {
                all.push(value);
            }
        }
        used += taken;
        match (separator, arguments.get(used)) {
            (None, _) => {}
            (Some(separator), Some(next)) if separator.kind == next.kind => used += 1,
            (Some(_), _) => break,
        }
    }
    (bindings, used)
}

/// The names that a pattern binds.
fn variables(pattern: &[Token], names: &mut Vec<String>) {
    for (at, token) in pattern.iter().enumerate() {
        match &token.kind {
            Kind::Group(_, inside) => variables(inside, names),
            _ => names.extend(variable(&pattern[at..]).map(|(name, _)| name.to_owned())),
        }
    }
}

/// How many tokens belong to the fragment at the front.
fn fragment_length(fragment: &str, rest: &[Token]) -> Option<usize> {
    let first = rest.first()?;
    match fragment {
        "ident" => first.word().map(|_| 1),
        "lifetime" => matches!(first.kind, Kind::Lifetime(_)).then_some(1),
        "literal" if first.is_sign('-') => matches!(rest.get(1)?.kind, Kind::Literal).then_some(2),
        "literal" => {
            (first.kind == Kind::Literal || first.is_word("true") || first.is_word("false")).then_some(1)
        }
        "tt" => Some(1),
        "block" => first.group('{').map(|_| 1),
        "meta" => Some(rest.len()),
        "ty" | "path" => Some(type_length(rest)).filter(|length| *length > 0),
        "expr" | "pat" => {
            let ends = |at: usize| {
                rest[at].is_sign(',')
                    || rest[at].is_sign(';')
                    || (rest[at].is_sign('=') && arrow(&rest[at..]))
            };
            Some((0..rest.len()).find(|at| ends(*at)).unwrap_or(rest.len())).filter(|length| *length > 0)
        }
        _ => None,
    }
}

fn arrow(rest: &[Token]) -> bool {
    rest.get(1).is_some_and(|next| next.is_sign('>'))
}

/// `&'a mut`, then a group or a path whose segments may have arguments.
fn type_length(rest: &[Token]) -> usize {
    let is = |at: usize, sign: char| rest.get(at).is_some_and(|token| token.is_sign(sign));
    let mut at = 0;
    while is(at, '&')
        || rest.get(at).is_some_and(|token| matches!(token.kind, Kind::Lifetime(_)) || token.is_word("mut"))
    {
        at += 1;
    }
    if rest.get(at).is_some_and(|token| matches!(token.kind, Kind::Group(..))) {
        return at + 1;
    }
    loop {
        if is(at, ':') && is(at + 1, ':') {
            at += 2;
        }
        if rest.get(at).and_then(Token::word).is_none() {
            return at;
        }
        at += 1;
        if is(at, '<') {
            at += angle_length(&rest[at..]);
        }
        if !(is(at, ':') && is(at + 1, ':')) {
            return at;
        }
    }
}

/// How many tokens `<` .. `>` takes at the front; the arrow `->` closes nothing.
pub(super) fn angle_length(rest: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in rest.iter().enumerate() {
        let of_arrow = at > 0 && (rest[at - 1].is_sign('-') || rest[at - 1].is_sign('='));
        if token.is_sign('<') {
            depth += 1;
        } else if token.is_sign('>') && !of_arrow {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    rest.len()
}

/// Writes the body with the metavariables replaced.
fn transcribe(body: &[Token], bindings: &Bindings) -> Option<Vec<Token>> {
    let mut written = Vec::new();
    let mut at = 0;
    while at < body.len() {
        if let Some((inside, separator, length)) = repetition(&body[at..]) {
            for (index, round) in rounds(inside, bindings)?.into_iter().enumerate() {
                written.extend(separator.filter(|_| index > 0).cloned());
                written.extend(transcribe(inside, &round)?);
            }
            at += length;
        } else if let Some((name, _)) = variable(&body[at..]) {
            match bindings.get(name) {
                Some(Bound::One(tokens)) => written.extend(tokens.iter().cloned()),
                Some(Bound::Many(_)) => return None,
                // `$crate` and whatever else is no metavariable stays.
                None => written.extend(body[at + 1..at + 2].iter().cloned()),
            }
            at += 2;
        } else {
            let kind = match &body[at].kind {
                Kind::Group(bracket, inside) => Kind::Group(*bracket, transcribe(inside, bindings)?),
                kind => kind.clone(),
            };
            written.push(Token { line: body[at].line, kind });
            at += 1;
        }
    }
    Some(written)
}

/// The bindings of each round of a repetition.
fn rounds(inside: &[Token], bindings: &Bindings) -> Option<Vec<Bindings>> {
    let mut names = Vec::new();
    variables(inside, &mut names);
    let lists = names.iter().filter_map(|name| match bindings.get(name) {
        Some(Bound::Many(list)) => Some((name, list)),
        _ => None,
    });
    let lists: Vec<_> = lists.collect();
    let n = lists.iter().map(|(_, list)| list.len()).max()?;
    let round = |index: usize| {
        let mut own = bindings.clone();
        own.extend(lists.iter().filter_map(|(name, list)| Some(((*name).clone(), list.get(index)?.clone()))));
        own
    };
    Some((0..n).map(round).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tokens::{tokens, written};

    /// What a macro makes of its arguments.
    fn expanded(rules: &str, arguments: &str) -> Option<String> {
        Rules::new(&tokens(rules)).expand(&tokens(arguments)).map(|tokens| written(&tokens))
    }

    #[test]
    fn tables_are_expanded() {
        let rules = "($($name:ident $op:expr, $doc:literal $(, $alias:literal)*;)*) => {$(#[doc = $doc] fn $name() { $op })*};";
        let found = expanded(rules, "abs Op::Abs(1, 2), \"a\", \"b\", \"c\"; sqrt x + y, \"d\";").unwrap();
        assert_eq!(
            found,
            "# [doc = \"\"] fn abs () {Op : : Abs (\"\" , \"\")} # [doc = \"\"] fn sqrt () {x + y}"
        );
        assert_eq!(expanded(rules, "").unwrap(), "");
        assert_eq!(expanded(rules, "abs;"), None);
    }

    #[test]
    fn groups_types_and_separators_are_matched() {
        let rules =
            "($($name:ident ($($x:ident: $t:ty),*) -> $out:ty;)*) => {$(fn $name($($x: $t),*) -> $out;)*};";
        let found = expanded(rules, "a () -> A::Sum; b (x: &'a Vec<u8>, y: (u8, u8)) -> f64;").unwrap();
        assert_eq!(found, "fn a () - > A : : Sum ; fn b (x : & 'a Vec < u8 > , y : (u8 , u8)) - > f64 ;");
    }

    #[test]
    fn the_first_rule_that_fits_is_taken() {
        let rules = "(@ $t:ty) => { fn one(_: $t); }; ($($t:ty)*) => { $(table!(@ $t);)* };";
        assert_eq!(expanded(rules, "@ i8").unwrap(), "fn one (_ : i8) ;");
        assert_eq!(
            expanded(rules, "i8 Complex<f32>").unwrap(),
            "table ! (@ i8) ; table ! (@ Complex < f32 >) ;"
        );
    }
}
