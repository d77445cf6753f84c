//! How much memory chunks may take.

use std::fmt;
use std::str::FromStr;

/// Bytes that chunks and declared scratch may take at once.
///
/// # Examples
/// ```
/// use musher_scheduler::MemoryLimit;
/// assert_eq!("1.5GiB".parse::<MemoryLimit>()?.bytes(), 3 << 29);
/// assert_eq!(MemoryLimit::from(1 << 20), "1 MiB".parse()?);
/// # Ok::<(), musher_scheduler::ParseMemoryLimitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryLimit(u64);

impl MemoryLimit {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl From<u64> for MemoryLimit {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

/// The text is no amount of memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseMemoryLimitError {
    text: String,
}

impl fmt::Display for ParseMemoryLimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no amount of memory such as 512MiB, 2GiB or 1.5 GB", self.text)
    }
}

impl std::error::Error for ParseMemoryLimitError {}

impl FromStr for MemoryLimit {
    type Err = ParseMemoryLimitError;

    /// A number and a unit: `B`, `kB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (of 1024).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseMemoryLimitError { text: text.to_owned() };
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(split);
        let number: f64 = number.parse().map_err(|_| error())?;
        let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(error()),
        };
        Ok(Self((number * factor as f64) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_nonsense() {
        let bytes = |text: &str| text.parse::<MemoryLimit>().map(MemoryLimit::bytes).ok();
        assert_eq!(bytes("512"), Some(512));
        assert_eq!(bytes(" 2 gib "), Some(2 << 30));
        assert_eq!(bytes("0.5kB"), Some(500));
        for nonsense in ["", "GiB", "1.2.3", "5 apples", "-1", "nan", "inf"] {
            assert_eq!(bytes(nonsense), None, "{nonsense}");
        }
    }
}
