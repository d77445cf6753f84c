//! Finds the public functions of a source file by the names under which a user knows them: `Array::sum`, `label`; and the
//! rows of tables from which macros make such functions.
//!
//! A row is written like a function, `fn sinh = …`, so that whoever looks for it finds it; after its name stands anything but
//! parameters. Of which type it becomes a method, the row does not say.

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

/// A public function, or a row of a table that becomes one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Function {
    /// The line on which its name stands.
    pub(super) line: usize,
    pub(super) name: String,
    /// What stands between `<` and `>` after the name.
    pub(super) generics: Vec<Token>,
    pub(super) parameters: Vec<Token>,
    pub(super) returns: Vec<Token>,
    pub(super) is_row: bool,
}

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

/// The public functions of a file, and the rows of its tables; modules for tests are left out.
pub(super) fn functions(file: &[Token]) -> Vec<Function> {
    let mut reader = Reader { functions: Vec::new() };
    reader.items(file, Scope::Free);
    rows(file, &mut reader.functions);
    reader.functions
}

/// The names after `fn` that no parameters follow, wherever they stand.
fn rows(tokens: &[Token], into: &mut Vec<Function>) {
    for (at, token) in tokens.iter().enumerate() {
        if let Kind::Group(_, inside) = &token.kind {
            rows(inside, into);
        }
        let [name, next, ..] = &tokens[at + 1..] else { continue };
        let is_function = next.is_sign('<') || next.group('(').is_some();
        if let Some(word) = name.word().filter(|_| token.is_word("fn") && !is_function) {
            into.push(Function {
                line: name.line,
                name: word.to_owned(),
                is_row: true,
                ..Function::default()
            });
        }
    }
}

/// The macros that make public functions whose names are not written as rows, by their lines: nobody would find them. A
/// twin, `$try…`, has the name of its row.
pub(super) fn hidden(file: &[Token]) -> Vec<(usize, String)> {
    let mut hidden = Vec::new();
    for window in file.windows(4) {
        let [key, bang, name, body] = window else { continue };
        if !key.is_word("macro_rules") || !bang.is_sign('!') {
            continue;
        }
        let (mut made, mut rows) = (Vec::new(), Vec::new());
        variables(std::slice::from_ref(body), &mut made, &mut rows);
        let name = name.word().unwrap_or_default();
        let unwritten = made.iter().find(|made| !rows.contains(made) && !made.starts_with("try"));
        hidden.extend(unwritten.map(|variable| (key.line, format!("`{name}!` makes `pub fn ${variable}`"))));
    }
    hidden
}

/// The metavariables after `pub fn`, and those after `fn` that a pattern binds.
fn variables<'a>(tokens: &'a [Token], made: &mut Vec<&'a str>, rows: &mut Vec<&'a str>) {
    for (at, token) in tokens.iter().enumerate() {
        if let Kind::Group(_, inside) = &token.kind {
            variables(inside, made, rows);
        }
        let [dollar, variable, rest @ ..] = &tokens[at + 1..] else { continue };
        let Some(variable) = variable.word().filter(|_| token.is_word("fn") && dollar.is_sign('$')) else {
            continue;
        };
        if rest.first().is_some_and(|next| next.is_sign(':')) {
            rows.push(variable);
        } else if at > 0 && tokens[at - 1].is_word("pub") {
            made.push(variable);
        }
    }
}

struct Reader {
    functions: Vec<Function>,
}

impl Reader {
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
                _ => {}
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
        let item = &rest[2..item_length(rest).max(2)];
        let from = if item.first().is_some_and(|first| first.is_sign('<')) { angle_length(item) } else { 0 };
        let parameters = item.get(from).and_then(|token| token.group('(')).unwrap_or_default();
        let after = item.get(from + 1..).unwrap_or_default();
        let returns = match after {
            [dash, angle, returns @ ..] if dash.is_sign('-') && angle.is_sign('>') => returns,
            _ => &[],
        };
        let ends =
            |token: &&Token| !token.is_word("where") && !token.is_sign(';') && token.group('{').is_none();
        self.functions.push(Function {
            line,
            name,
            generics: item[..from].to_vec(),
            parameters: parameters.to_vec(),
            returns: returns.iter().take_while(ends).cloned().collect(),
            is_row: false,
        });
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

/// How many tokens `<` .. `>` takes at the front; the arrow `->` closes nothing.
fn angle_length(rest: &[Token]) -> usize {
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
        let found = functions(&tokens(source));
        let names: Vec<_> = found.iter().map(|function| function.name.as_str()).collect();
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
    fn parameters_and_returns_are_read() {
        let found = functions(&tokens(
            "impl A { pub fn a<F: Fn(u8) -> u8>(&self, f: F) -> Option<A> where F: Copy { } pub fn b(&self); }",
        ));
        let texts: Vec<_> = found
            .iter()
            .map(|function| (written(&function.parameters), written(&function.returns)))
            .collect();
        assert_eq!(texts[0], ("& self , f : F".to_owned(), "Option < A >".to_owned()));
        assert_eq!(texts[1], ("& self".to_owned(), String::new()));
    }

    #[test]
    fn rows_of_tables_are_found_wherever_they_stand() {
        check("impl A { each! { /// B.\n fn b = B, \"b\"; } } each!(fn c: u64 = |x| x);", &["b", "c"]);
        check("macro_rules! table { ($use:ident) => { $use! { fn d where A: Real = 3; } } }", &["d"]);
        check("fn e() {} fn f<T>() {} type G = fn(u8) -> u8; macro_rules! m { (fn $h:ident) => {} }", &[]);
    }

    #[test]
    fn a_macro_that_makes_functions_takes_rows() {
        let hidden = |source: &str| hidden(&tokens(source));
        let rows = "macro_rules! m { ($(fn $n:ident $try:ident = $t:ty;)*) => {$( pub fn $n() {} pub fn $try() {} )*} }";
        assert_eq!(hidden(rows), []);
        assert_eq!(
            hidden("\nmacro_rules! m { ($($n:ident)*) => {$( pub fn $n() {} fn $o() {} )*} }"),
            [(2, "`m!` makes `pub fn $n`".to_owned())]
        );
    }
}
