//! Finds the public functions of a source file by the names under which a user knows them: `Array::sum`, `label`.

use std::collections::BTreeMap;

use super::expand::{Rules, angle_length};
use super::tokens::{Kind, Token, written};

/// The traits whose methods are operations of the types that have them; methods of others are counted at the trait.
const OPERATION_TRAITS: [&str; 15] = [
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Rem",
    "Neg",
    "Not",
    "BitAnd",
    "BitOr",
    "BitXor",
    "Fit",
    "Transform",
    "Predict",
    "FitRows",
    "PredictRows",
];

/// A public function and the line on which its name stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Function {
    pub(super) line: usize,
    pub(super) name: String,
}

/// What a file holds that matters here.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) functions: Vec<Function>,
    /// Lines of macro calls that could not be expanded although they define functions.
    pub(super) unread: Vec<(usize, String)>,
}

/// The macros of a crate by name.
pub(super) type Macros = BTreeMap<String, Rules>;

/// Where in the file an item stands.
#[derive(Clone, Copy)]
enum Scope<'a> {
    /// On its own, or in a module.
    Free,
    /// In the implementation of a type.
    Type(&'a str),
    /// In a public trait, or in the implementation of an operation trait, where every function is public.
    Open(&'a str),
}

/// The macros that a file defines beside its items.
pub(super) fn macros(file: &[Token]) -> Macros {
    let defined = file.windows(4).filter_map(|window| match window {
        [key, bang, name, body] if key.is_word("macro_rules") && bang.is_sign('!') => {
            let body = ['(', '[', '{'].iter().find_map(|bracket| body.group(*bracket))?;
            Some((name.word()?.to_owned(), Rules::new(body)))
        }
        _ => None,
    });
    defined.collect()
}

/// The public functions of a file; modules for tests are left out.
pub(super) fn functions(file: &[Token], macros: &Macros) -> Found {
    let mut reader = Reader { macros, found: Found::default() };
    reader.items(file, Scope::Free);
    reader.found
}

struct Reader<'a> {
    macros: &'a Macros,
    found: Found,
}

impl Reader<'_> {
    fn items(&mut self, tokens: &[Token], scope: Scope<'_>) {
        let (mut at, mut public, mut for_tests) = (0, false, false);
        while at < tokens.len() {
            let rest = &tokens[at..];
            let word = rest[0].word().unwrap_or_default();
            match word {
                "pub" => {
                    public = rest.get(1).is_none_or(|next| next.group('(').is_none());
                    at += 1;
                    continue;
                }
                "const" | "async" | "unsafe" | "extern" | "default" if introduces_function(rest) => {
                    at += 1;
                    continue;
                }
                "fn" => self.function(rest, public && !for_tests, scope),
                "mod" if !for_tests => self.inside(rest, Scope::Free),
                "impl" if !for_tests => self.implementation(rest),
                "trait" if public && !for_tests => {
                    let name = rest.get(1).and_then(Token::word).unwrap_or_default();
                    self.inside(rest, Scope::Open(name));
                }
                _ if rest[0].is_sign('#') => {
                    for_tests |= rest.get(1).and_then(|next| next.group('[')).is_some_and(is_for_tests);
                    at += 1 + usize::from(rest.get(1).is_some_and(|next| next.is_sign('!')));
                    at += 1;
                    continue;
                }
                _ => self.call(rest, scope),
            }
            at += item_length(rest);
            (public, for_tests) = (false, false);
        }
    }

    fn function(&mut self, rest: &[Token], public: bool, scope: Scope<'_>) {
        let Some((line, name)) = rest.get(1).and_then(|token| Some((token.line, token.word()?))) else {
            return;
        };
        let name = match scope {
            Scope::Free if public => name.to_owned(),
            Scope::Type(of) if public => format!("{of}::{name}"),
            Scope::Open(of) => format!("{of}::{name}"),
            Scope::Free | Scope::Type(_) => return,
        };
        self.found.functions.push(Function { line, name });
    }

    /// What stands between the braces of an item.
    fn inside(&mut self, rest: &[Token], scope: Scope<'_>) {
        let item = &rest[..item_length(rest)];
        if let Some(body) = item.last().and_then(|last| last.group('{')) {
            self.items(body, scope);
        }
    }

    fn implementation(&mut self, rest: &[Token]) {
        let item = &rest[1..item_length(rest)];
        let from = if item.first().is_some_and(|first| first.is_sign('<')) { angle_length(item) } else { 0 };
        let head = &item[from..];
        let (of_trait, of) = match (0..head.len()).find(|at| is_for(head, *at)) {
            Some(at) => (last_segment(&head[..at]), last_segment(&head[at + 1..])),
            None => (None, last_segment(head)),
        };
        let Some(of) = of else { return };
        match of_trait {
            None => self.inside(rest, Scope::Type(&of)),
            // Operators of `f64` with an array on the right are those of the array, and `impl<P> Fit for P` is the trait.
            Some(name) if OPERATION_TRAITS.contains(&name.as_str()) && is_type_name(&of) => {
                self.inside(rest, Scope::Open(&of));
            }
            Some(_) => {}
        }
    }

    /// A macro call among items: what it becomes is read in its place.
    fn call(&mut self, rest: &[Token], scope: Scope<'_>) {
        let [name, bang, arguments, ..] = rest else { return };
        let arguments = ['(', '[', '{'].iter().find_map(|bracket| arguments.group(*bracket));
        let (Some(name), Some(arguments)) = (name.word().filter(|_| bang.is_sign('!')), arguments) else {
            return;
        };
        let Some(rules) = self.macros.get(name).filter(|rules| rules.defines_functions()) else { return };
        match rules.expand(arguments) {
            Some(tokens) => self.items(&tokens, scope),
            None => self.found.unread.push((rest[0].line, format!("{name}!({})", written(arguments)))),
        }
    }
}

/// A type's name; neither a primitive one nor a parameter of one letter.
fn is_type_name(name: &str) -> bool {
    name.len() > 1 && name.starts_with(char::is_uppercase)
}

/// Whether only keywords stand before a `fn`.
fn introduces_function(rest: &[Token]) -> bool {
    let keywords = ["const", "async", "unsafe", "extern", "default"];
    let mut after = rest.iter().skip_while(|token| {
        token.kind == Kind::Literal || token.word().is_some_and(|word| keywords.contains(&word))
    });
    after.next().is_some_and(|token| token.is_word("fn"))
}

/// `cfg(test)`, `cfg(all(test, ..))`, but not `cfg(not(test))`.
fn is_for_tests(attribute: &[Token]) -> bool {
    let text = written(attribute);
    text.starts_with("cfg ")
        && super::source::has_word(&text, "test")
        && !super::source::has_word(&text, "not")
}

/// Up to the end of an item: its braces or its semicolon. A macro call ends with its brackets.
fn item_length(rest: &[Token]) -> usize {
    if rest.get(1).is_some_and(|next| next.is_sign('!')) {
        return rest
            .iter()
            .position(|token| matches!(token.kind, Kind::Group(..)))
            .map_or(rest.len(), |at| at + 1);
    }
    let ends = |token: &Token| token.is_sign(';') || token.group('{').is_some();
    rest.iter().position(ends).map_or(rest.len(), |at| at + 1)
}

/// The `for` between trait and type; `for<'a>` is another word.
fn is_for(head: &[Token], at: usize) -> bool {
    let is_type = !head.get(at + 1).is_some_and(|next| next.is_sign('<'));
    let in_where = head[..at].iter().any(|token| token.is_word("where"));
    head[at].is_word("for") && is_type && !in_where
}

/// `Array` of `crate::Array<A, D> where ..` and of `&mut Array<A, D>`.
fn last_segment(path: &[Token]) -> Option<String> {
    let words = path.iter().take_while(|token| {
        !token.is_sign('<') && !token.is_word("where") && !matches!(token.kind, Kind::Group(..))
    });
    words.filter(|token| !token.is_word("mut")).filter_map(Token::word).last().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tokens::tokens;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let file = tokens(source);
        let found = functions(&file, &macros(&file));
        assert!(found.unread.is_empty(), "{:?}", found.unread);
        let names: Vec<_> = found.functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, expected, "{source}");
    }

    #[test]
    fn public_functions_have_names() {
        check("pub fn a() { pub fn inner() {} } fn b() {} pub(crate) fn c() {}", &["a"]);
        check(
            "pub const fn a(); pub async unsafe fn b(); pub const C: u8 = 1; pub fn d();",
            &["a", "b", "d"],
        );
        check(
            "impl<A: Fn(u8) -> u8> x::Array<A, D> where D: E { pub fn sum(&self) {} fn own() {} }",
            &["Array::sum"],
        );
        check("pub struct A(u8); pub struct B { pub c: u8 } impl B { #[must_use] pub fn c() {} }", &["B::c"]);
        check("pub mod m { pub fn a() {} } pub mod n; pub use x::{y}; pub fn b() {}", &["a", "b"]);
    }

    #[test]
    fn tests_are_left_out() {
        check("#[cfg(test)] mod tests { pub fn a() {} } #[cfg(not(test))] mod b { pub fn b() {} }", &["b"]);
        check("#[cfg(all(test, unix))] pub fn a() {} #![doc = \"\"] pub fn b() {}", &["b"]);
    }

    #[test]
    fn traits_count_where_they_are_operations() {
        check("pub trait Compute { fn compute(&self); } trait Own { fn own(); }", &["Compute::compute"]);
        check("impl<'a> Fit<X> for &'a mut m::Scaler<A> { fn fit(&self) {} }", &["Scaler::fit"]);
        check("impl Add<Array<f64>> for f64 { fn add() {} } impl<P> Fit for P { fn fit() {} }", &[]);
        check("impl Clone for Bag { fn clone() {} }", &[]);
        check(
            "impl<F> T for F where F: for<'a> Fn(&'a u8) { fn f() {} } impl A { pub fn b() {} }",
            &["A::b"],
        );
    }

    #[test]
    fn macros_are_read() {
        check(
            "macro_rules! each { ($($n:ident)*) => {$( pub fn $n() {} )*}; } impl A { each! { a b } } each!(c);",
            &["A::a", "A::b", "c"],
        );
        let file = tokens("macro_rules! m { (a) => { pub fn a() {} }; }\n\nm!(b);");
        assert_eq!(functions(&file, &macros(&file)).unread, [(3, "m!(b)".to_owned())]);
    }
}
