//! What a user says of delimited text: which files, and how they are read.

use std::path::{Path, PathBuf};

use musher_graph_core::{Token, Tokenizer};
use polars::prelude::{DataType, PlSmallStr};
use polars_io::csv::read::{CsvParseOptions, NullValues};

use crate::kernel::records::Dialect;

/// Where the names of the columns stand.
///
/// # Examples
/// ```
/// use musher_frame::{CsvOptions, Header};
/// let options = CsvOptions::new("*.csv").header(Header::Names(vec!["x".into(), "y".into()]));
/// # let _ = options;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Header {
    /// In the first line of every file that is not empty.
    #[default]
    FirstLine,
    /// Nowhere: the columns are `column_1`, `column_2` and so on.
    Absent,
    /// Here; the files hold rows only.
    Names(Vec<String>),
}

/// Which files of delimited text are read, and how.
///
/// A path or a pattern converts into options with all defaults.
///
/// # Examples
/// ```
/// use musher_frame::{CsvOptions, polars::prelude::DataType};
/// let options = CsvOptions::new("zips-*.csv")
///     .separator(b';')
///     .null_values(["NA"])
///     .dtypes([("zip", DataType::String)]);
/// assert_ne!(options, "zips-*.csv".into());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CsvOptions {
    pub(super) pattern: PathBuf,
    separator: u8,
    quote: Option<u8>,
    pub(super) header: Header,
    null_values: Vec<String>,
    pub(super) dtypes: Vec<(String, DataType)>,
    parse_dates: bool,
    skip_blank_lines: Option<bool>,
    pub(super) infer_rows: usize,
    pub(super) block_bytes: u64,
}

impl CsvOptions {
    /// What pandas takes for a missing value.
    const PANDAS_NULLS: [&str; 18] = [
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
        "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ];

    /// The files that a pattern means; see [`find`](musher_scheduler::files::find).
    pub fn new(pattern: impl AsRef<Path>) -> Self {
        Self {
            pattern: pattern.as_ref().to_path_buf(),
            separator: b',',
            quote: Some(b'"'),
            header: Header::FirstLine,
            null_values: Vec::new(),
            dtypes: Vec::new(),
            parse_dates: false,
            skip_blank_lines: None,
            infer_rows: 1000,
            block_bytes: 16 << 20,
        }
    }

    /// What stands between fields; a comma by default.
    #[must_use]
    #[doc(alias = "sep")]
    #[doc(alias = "delimiter")]
    pub fn separator(self, separator: u8) -> Self {
        Self { separator, ..self }
    }

    /// What stands around fields with separators or line ends in them, doubled for itself; `None` where quotes mean
    /// nothing.
    ///
    /// A quote that does not stand at the start of a field is a character of it, and what follows the end of a quoted
    /// field belongs to it, as in pandas and in Python's `csv`.
    #[must_use]
    #[doc(alias = "quotechar")]
    pub fn quote(self, quote: Option<u8>) -> Self {
        Self { quote, ..self }
    }

    /// Where the names of the columns stand.
    #[must_use]
    pub fn header(self, header: Header) -> Self {
        Self { header, ..self }
    }

    /// Texts that mean "no value", besides the empty field.
    #[must_use]
    #[doc(alias = "na_values")]
    pub fn null_values<S: Into<String>>(self, texts: impl IntoIterator<Item = S>) -> Self {
        Self { null_values: texts.into_iter().map(Into::into).collect(), ..self }
    }

    /// The texts that pandas takes for missing values by default: `NA`, `N/A`, `NaN`, `nan`, `NULL`, `null`, `None` and
    /// their like.
    #[must_use]
    #[doc(alias = "keep_default_na")]
    pub fn pandas_null_values(self) -> Self {
        self.null_values(Self::PANDAS_NULLS)
    }

    /// Types of columns that are not inferred.
    #[must_use]
    #[doc(alias = "dtype")]
    #[doc(alias = "schema_overrides")]
    pub fn dtypes<S: Into<String>>(self, types: impl IntoIterator<Item = (S, DataType)>) -> Self {
        Self { dtypes: types.into_iter().map(|(name, dtype)| (name.into(), dtype)).collect(), ..self }
    }

    /// Whether texts that look like dates and times become such; not by default.
    ///
    /// Year, month and day stand in this order (`2024-02-01`) or in the opposite one (`01/02/2024`, the first of February); dates
    /// with the month first are not known, and such a column stays text or is an error at its first 13th day.
    #[must_use]
    #[doc(alias = "try_parse_dates")]
    pub fn parse_dates(self, parse_dates: bool) -> Self {
        Self { parse_dates, ..self }
    }

    /// Whether lines without text are passed over, or are rows of missing values.
    ///
    /// By default they are passed over, as in pandas, where there are several columns. Where there is only one, a line
    /// without text is how a missing value is written, and a row.
    #[must_use]
    pub fn skip_blank_lines(self, skip: bool) -> Self {
        Self { skip_blank_lines: Some(skip), ..self }
    }

    /// Rows of the first file from which types are inferred, and a tenth of them from each of up to nine others; 1000 by
    /// default.
    ///
    /// A later value that does not fit fails the runs that read its column, naming file and line.
    #[must_use]
    #[doc(alias = "sample")]
    #[doc(alias = "infer_schema_length")]
    pub fn infer_rows(self, n_rows: usize) -> Self {
        Self { infer_rows: n_rows, ..self }
    }

    /// Bytes of text per partition; 16 MiB by default, `u64::MAX` for one partition a file.
    #[must_use]
    #[doc(alias = "blocksize")]
    pub fn block_bytes(self, bytes: u64) -> Self {
        Self { block_bytes: bytes, ..self }
    }

    pub(super) fn dialect(&self) -> Dialect {
        Dialect { separator: self.separator, quote: self.quote }
    }

    pub(super) fn skips_blank(&self, n_columns: usize) -> bool {
        self.skip_blank_lines.unwrap_or(n_columns > 1)
    }

    /// How polars parses clean text.
    pub(super) fn parse(&self) -> CsvParseOptions {
        let nulls = self.null_values.iter().map(|text| PlSmallStr::from(text.as_str())).collect::<Vec<_>>();
        CsvParseOptions::default()
            .with_separator(self.separator)
            .with_quote_char(self.quote)
            .with_try_parse_dates(self.parse_dates)
            .with_null_values((!nulls.is_empty()).then_some(NullValues::AllColumns(nulls)))
    }
}

impl<P: AsRef<Path>> From<P> for CsvOptions {
    fn from(pattern: P) -> Self {
        Self::new(pattern)
    }
}

impl Token for CsvOptions {
    /// All but the pattern: the files themselves say more.
    fn token(&self, tokenizer: &mut Tokenizer) {
        let Self {
            pattern: _,
            separator,
            quote,
            header,
            null_values,
            dtypes,
            parse_dates,
            skip_blank_lines,
            infer_rows,
            block_bytes,
        } = self;
        (*separator, *quote, null_values, *parse_dates, *skip_blank_lines).token(tokenizer);
        (*infer_rows, *block_bytes).token(tokenizer);
        // Types and headers have no other stable form than their text.
        format!("{header:?} {dtypes:?}").token(tokenizer);
    }
}
