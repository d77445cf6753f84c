//! Amounts of bytes as people write and read them: one type for limits that are told and for figures that are shown.

use std::fmt;
use std::str::FromStr;

use crate::report::report;

/// An amount of bytes, which reads and is read as people write it.
///
/// It is shown in the largest unit that is not larger than it, below ten of them with one decimal: `1.5 MiB`, `64 KiB`,
/// `12 B`. Where a figure must be exact there is [`bytes`](ByteSize::bytes).
///
/// # Examples
/// ```
/// use musher_graph_core::ByteSize;
/// assert_eq!("1.5GiB".parse::<ByteSize>()?.bytes(), 3 << 29);
/// assert_eq!(ByteSize::from(1 << 20), "1 MiB".parse()?);
/// assert_eq!(ByteSize::from(1_572_864).to_string(), "1.5 MiB");
/// # Ok::<(), musher_graph_core::ParseByteSizeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[doc(alias = "format_bytes")]
#[doc(alias = "parse_bytes")]
pub struct ByteSize(u64);

impl ByteSize {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl From<u64> for ByteSize {
    fn from(bytes: u64) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let power = self.0.max(1).ilog2() / 10;
        let value = self.0 as f64 / 1024_f64.powi(power as i32);
        let decimals = usize::from(power > 0 && value < 10.0);
        f.pad(&format!("{value:.decimals$} {}", UNITS[power as usize]))
    }
}

/// The text is no amount of bytes.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no amount of bytes such as 512MiB, 2GiB or 1.5 GB")]
pub struct ParseByteSizeError {
    text: String,
}

impl fmt::Debug for ParseByteSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

impl FromStr for ByteSize {
    type Err = ParseByteSizeError;

    /// A number and a unit: `B`, `kB`, `MB`, `GB`, `TB` (powers of 1000) or `KiB`, `MiB`, `GiB`, `TiB` (of 1024).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseByteSizeError { text: text.to_owned() };
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
        let bytes = |text: &str| text.parse::<ByteSize>().map(ByteSize::bytes).ok();
        assert_eq!(bytes("512"), Some(512));
        assert_eq!(bytes(" 2 gib "), Some(2 << 30));
        assert_eq!(bytes("0.5kB"), Some(500));
        for nonsense in ["", "GiB", "1.2.3", "5 apples", "-1", "nan", "inf"] {
            assert_eq!(bytes(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn it_reads_well_and_fills_its_column() {
        let shown =
            [0, 1023, 1024, 10_239, 1_572_864, 64 << 20, u64::MAX].map(|n| ByteSize::from(n).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "10.0 KiB", "1.5 MiB", "64 MiB", "16 EiB"]);
        assert_eq!(format!("[{:>8}]", ByteSize::from(64 << 10)), "[  64 KiB]");
    }
}
