//! An error as a person reads it: what failed, then why, a line for each cause.
//!
//! `fn main() -> Result<(), Box<dyn Error>>` prints the [`Debug`](fmt::Debug) of what it returns, so that is what the
//! error types of musher's crates write; fields of a struct would help nobody there.

use std::error::Error;
use std::fmt;

/// Writes the message of `error` and, below it, its chain of causes.
///
/// A cause whose words stand in the message above it already is not said again.
/// It is what `Debug` of an error type should call; no type is required to.
///
/// # Errors
/// Those of the formatter.
///
/// # Examples
/// ```
/// use std::fmt;
/// use musher_graph_core::report;
///
/// struct NoTable(std::num::ParseIntError);
/// impl fmt::Display for NoTable {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("line 3 of prices.txt cannot be read") }
/// }
/// impl fmt::Debug for NoTable {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { report(self, f) }
/// }
/// impl std::error::Error for NoTable {
///     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> { Some(&self.0) }
/// }
///
/// let error = NoTable("x".parse::<i32>().unwrap_err());
/// assert_eq!(
///     format!("{error:?}"),
///     "line 3 of prices.txt cannot be read\n\nCaused by:\n    invalid digit found in string"
/// );
/// ```
pub fn report(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut above = error.to_string();
    f.write_str(&above)?;
    let mut is_first = true;
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !above.contains(&text) {
            f.write_str(if is_first { "\n\nCaused by:\n    " } else { "\n    " })?;
            f.write_str(&text.replace('\n', "\n    "))?;
            is_first = false;
        }
        above = text;
        cause = error.source();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Link(&'static str, Option<Box<Link>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }
    impl fmt::Debug for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            report(self, f)
        }
    }
    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|link| link as &(dyn Error + 'static))
        }
    }

    fn chain(words: &[&'static str]) -> Link {
        let (first, rest) = words.split_first().unwrap();
        Link(first, (!rest.is_empty()).then(|| Box::new(chain(rest))))
    }

    #[test]
    fn every_cause_has_a_line_and_none_is_said_twice() {
        assert_eq!(format!("{:?}", chain(&["alone"])), "alone");
        assert_eq!(
            format!("{:?}", chain(&["a", "b\nmore of b", "c"])),
            "a\n\nCaused by:\n    b\n    more of b\n    c"
        );
        assert_eq!(
            format!("{:?}", chain(&["reading x: no such file", "no such file", "code 2"])),
            "reading x: no such file\n\nCaused by:\n    code 2"
        );
    }
}
