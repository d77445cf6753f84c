//! One line of JSON to one value.

use serde::de::DeserializeOwned;

/// The value on `line`, or `None` for a line without text.
pub(crate) fn parse<T: DeserializeOwned>(line: &str) -> Result<Option<T>, serde_json::Error> {
    match line.trim_ascii().is_empty() {
        true => Ok(None),
        false => serde_json::from_str(line).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn blank_lines_are_no_values_and_errors_know_their_column() {
        assert_eq!(parse::<u8>(" 7 ").unwrap(), Some(7));
        assert_eq!(parse::<u8>("  \r").unwrap(), None);
        assert_eq!(parse::<u8>("1 2").unwrap_err().column(), 3);
        assert_eq!(parse::<Vec<u8>>("[1 2]").unwrap_err().column(), 4);
    }
}
