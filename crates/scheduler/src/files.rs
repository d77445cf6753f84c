//! The files that a pattern means, in natural order, and whether they are still what they were when the graph was built.
//!
//! Everything that reads files in parts finds them here, so that one pattern means the same files to every
//! collection, "the file has changed" is judged in one way, and what a graph is built from is asked [`once`].

mod once;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::error::Error as StdError;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, is_separator};
use std::time::{Duration, UNIX_EPOCH};

use globset::{GlobBuilder, GlobMatcher};
use musher_graph_core::{Token, Tokenizer, report};
use serde::{Deserialize, Serialize};

pub use once::{Facts, once};

use crate::error::Cause;

/// The files that a pattern means, in natural order: `part-2` before `part-10`.
///
/// - A path that exists as it is written means itself, whatever characters it has. A folder means the files in it
///   (not below it) that have one of these `extensions`; where there are none, a folder is an error.
/// - `*`, `?`, `[..]` and `{a,b}` match as in a shell and stop at separators; `**` matches any number of folders.
/// - Names that begin with a dot are passed over unless the pattern spells the dot.
/// - Links to files are read. Links to folders are entered as a shell does, but not by patterns with `**`: a link to
///   a folder above itself would give its files again and again.
/// - Folders below `**` that may not be listed, and what vanishes meanwhile, are passed over.
/// - What matches and is neither file nor folder, a pipe for example, is an error: to open it would wait forever.
///
/// **Cost** one listing for each folder that the pattern may reach, and one look at each file found.
///
/// # Errors
/// [`FilesError::NoMatch`] where nothing matches, [`FilesError::Pattern`], [`FilesError::Folder`],
/// [`FilesError::NotAFile`], and [`FilesError::Io`] where a folder cannot be listed or a file cannot be looked at.
///
/// # Examples
/// ```
/// use musher_scheduler::files::find;
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// for name in ["part-10.csv", "part-2.csv", ".part-1.csv"] {
///     std::fs::write(folder.join(name), "x\n1\n")?;
/// }
/// let files = find(folder.join("part-*.csv"), &[])?;
/// assert_eq!(files[0].path(), folder.join("part-2.csv"));
/// assert_eq!((files.len(), files[1].bytes()), (2, 4));
/// assert_eq!(find(folder, &["csv"])?, files);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "glob")]
pub fn find(pattern: impl AsRef<Path>, extensions: &[&str]) -> Result<Vec<FileFacts>, FilesError> {
    once("which files", pattern.as_ref(), extensions, || look_for(pattern.as_ref(), extensions))
}

fn look_for(path: &Path, extensions: &[&str]) -> Result<Vec<FileFacts>, FilesError> {
    let no_match = || FilesError::NoMatch { pattern: path.display().to_string() };
    let mut found = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => vec![FileFacts::new(path.to_path_buf(), &metadata)?],
        Ok(_) if extensions.is_empty() => return Err(FilesError::Folder { path: path.to_path_buf() }),
        Ok(_) => in_folder(path, extensions)?,
        Err(error) if is_absent(&error) => matching(path, no_match)?,
        Err(source) => return Err(FilesError::io("look at", path, source)),
    };
    found.sort_by(|one, other| natural_order(&one.path, &other.path));
    if found.is_empty() { Err(no_match()) } else { Ok(found) }
}

/// Compares paths as people do: runs of digits by their value, all else by character.
///
/// What lies in a folder comes before names that go on after the folder's. Names that differ only in leading zeros
/// are told apart by their characters.
///
/// # Examples
/// ```
/// use musher_scheduler::files::natural_order;
/// use std::path::Path;
/// assert!(natural_order(Path::new("tile-9.png"), Path::new("tile-10.png")).is_lt());
/// ```
#[must_use]
pub fn natural_order(one: &Path, other: &Path) -> Ordering {
    let (mut a, mut b) = (one.as_os_str().as_encoded_bytes(), other.as_os_str().as_encoded_bytes());
    while let (Some(&first), Some(&second)) = (a.first(), b.first()) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (left, right) = (take_digits(&mut a), take_digits(&mut b));
            left.len().cmp(&right.len()).then(left.cmp(right))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            let rank = |byte: u8| if is_separator(char::from(byte)) { 0 } else { byte };
            rank(first).cmp(&rank(second))
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| one.cmp(other))
}

/// Takes the digits at the start, and gives them back without leading zeros.
fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    &digits[zeros..]
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The files right in a folder that have one of these extensions.
fn in_folder(folder: &Path, extensions: &[&str]) -> Result<Vec<FileFacts>, FilesError> {
    let mut found = Vec::new();
    for entry in list(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let fits = extension.is_some_and(|own| extensions.iter().any(|one| one.eq_ignore_ascii_case(own)));
        if !fits || is_hidden(&path) {
            continue;
        }
        let metadata = fs::metadata(&path).map_err(|source| FilesError::io("look at", &path, source))?;
        if !metadata.is_dir() {
            found.push(FileFacts::new(path, &metadata)?);
        }
    }
    Ok(found)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn list(folder: &Path) -> Result<impl Iterator<Item = Result<fs::DirEntry, FilesError>> + use<>, FilesError> {
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(listed).map_err(|source| FilesError::io("list", listed, source))?;
    let listed = listed.to_path_buf();
    Ok(entries.map(move |entry| entry.map_err(|source| FilesError::io("list", &listed, source))))
}

/// The files that a pattern matches which is not the name of one.
fn matching(path: &Path, no_match: impl Fn() -> FilesError) -> Result<Vec<FileFacts>, FilesError> {
    let pattern = path.to_str().ok_or_else(&no_match)?;
    let special = pattern.find(['*', '?', '[', '{']).ok_or_else(&no_match)?;
    let start = pattern[..special].rfind(is_separator).map_or(0, |separator| separator + 1);
    let (folder, rest) = pattern.split_at(start);
    let walk = Walk::new(Path::new(folder), rest)
        .map_err(|source| FilesError::Pattern { pattern: pattern.to_owned(), source: source.into() })?;
    walk.run()
}

/// A pattern below a folder without special characters.
struct Walk<'a> {
    folder: &'a Path,
    matcher: GlobMatcher,
    /// The parts that spell a dot: the only ones that match names which begin with one.
    dotted: Vec<GlobMatcher>,
    /// How many names a path that matches has at most; there is no bound if the pattern has `**`.
    levels: Option<usize>,
    /// What the first names of a path that matches are; those behind may be any.
    names: Vec<GlobMatcher>,
}

impl<'a> Walk<'a> {
    fn new(folder: &'a Path, pattern: &str) -> Result<Self, globset::Error> {
        let compile =
            |glob: &str| Ok(GlobBuilder::new(glob).literal_separator(true).build()?.compile_matcher());
        let matcher = compile(pattern)?;
        let parts = pattern.split(is_separator).filter(|part| part.starts_with('.'));
        // A part of a choice such as `{.a/b,c}` is no pattern of its own.
        let dotted = parts.filter_map(|part| compile(part).ok()).collect();
        let levels = (!pattern.contains("**")).then(|| 1 + pattern.matches(is_separator).count());
        let parts = pattern.split(is_separator).take_while(|part| !part.contains("**"));
        let names = parts.map_while(|part| compile(part).ok()).collect();
        Ok(Self { folder, matcher, dotted, levels, names })
    }

    /// Whether a path that matches may have this name at this level, from 1, and others behind it.
    fn may_enter(&self, name: &OsStr, level: usize) -> bool {
        self.levels.is_none_or(|levels| level < levels)
            && self.names.get(level - 1).is_none_or(|part| part.is_match(name))
    }

    /// Visits the folders, without recursion.
    fn run(&self) -> Result<Vec<FileFacts>, FilesError> {
        let mut found = Vec::new();
        let mut waiting = vec![(PathBuf::new(), 1)];
        while let Some((relative, level)) = waiting.pop() {
            // Folders that no part of the pattern means are entered to see what they hold, if they let see it.
            let is_guess = level > self.names.len() + 1;
            let entries = match list(&self.folder.join(&relative)) {
                Ok(entries) => entries,
                Err(FilesError::Io { source, .. })
                    if is_absent(&source) || is_guess && source.kind() == ErrorKind::PermissionDenied =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            for entry in entries {
                let name = entry?.file_name();
                if is_hidden(Path::new(&name)) && !self.dotted.iter().any(|part| part.is_match(&name)) {
                    continue;
                }
                let below = relative.join(&name);
                let (is_meant, may_enter) = (self.matcher.is_match(&below), self.may_enter(&name, level));
                if !is_meant && !may_enter {
                    continue;
                }
                let path = self.folder.join(&below);
                let is_link = match fs::symlink_metadata(&path) {
                    Ok(metadata) => metadata.is_symlink(),
                    Err(source) if is_absent(&source) || !is_meant => continue,
                    Err(source) => return Err(FilesError::io("look at", &path, source)),
                };
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => {
                        if may_enter && (self.levels.is_some() || !is_link) {
                            waiting.push((below, level + 1));
                        }
                    }
                    _ if !is_meant => {}
                    Ok(metadata) => found.push(FileFacts::new(path, &metadata)?),
                    Err(source) if is_absent(&source) && !is_link => {}
                    Err(source) => return Err(FilesError::io("look at", &path, source)),
                }
            }
        }
        Ok(found)
    }
}

/// A file as it was when a graph was built: path, length, time of the last change, and which file it is.
///
/// What is read later must be that file: [`open`](FileFacts::open) refuses one that has changed. Its fingerprint
/// ([`Token`]) holds the same facts, and the path made absolute.
///
/// # Examples
/// ```
/// use musher_scheduler::files::{Change, FileFacts, FilesError};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a.csv");
/// std::fs::write(&path, "x\n1\n")?;
/// let facts = FileFacts::of(&path)?;
/// assert!(facts.open().is_ok());
/// std::fs::write(&path, "x\n1\n2\n")?;
/// let changed = facts.open().unwrap_err();
/// assert!(matches!(changed, FilesError::Changed { change: Change::Length { then: 4, now: 6 }, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Absolute: the program may go to another folder before the file is read.
    #[serde(with = "musher_graph_core::serde_path")]
    path: PathBuf,
    state: FileState,
}

impl FileFacts {
    /// The facts of the file at a path.
    ///
    /// # Errors
    /// [`FilesError::Io`] where there is none, [`FilesError::NotAFile`] for anything but a regular file.
    pub fn of(path: impl Into<PathBuf>) -> Result<Self, FilesError> {
        let path = path.into();
        once("which file", &path, &(), || {
            let metadata = fs::metadata(&path).map_err(|source| FilesError::io("look at", &path, source))?;
            Self::new(path.clone(), &metadata)
        })
    }

    fn new(path: PathBuf, metadata: &Metadata) -> Result<Self, FilesError> {
        let state = FileState::new(&path, metadata)?;
        let path = std::path::absolute(&path).map_err(|source| FilesError::io("find", &path, source))?;
        Ok(Self { path, state })
    }

    /// Where the file is: an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state.bytes
    }

    /// Opens the file, if it is still what it was.
    ///
    /// # Errors
    /// [`FilesError::Io`] where it cannot be opened, [`FilesError::Changed`].
    pub fn open(&self) -> Result<File, FilesError> {
        self.state.open(&self.path)
    }

    /// Fails unless the open file is still what it was.
    ///
    /// # Errors
    /// [`FilesError::Changed`]; [`FilesError::Io`] where the system says nothing of the file.
    pub fn check(&self, file: &File) -> Result<(), FilesError> {
        self.state.check(&self.path, file)
    }
}

impl Token for FileFacts {
    fn token(&self, tokenizer: &mut Tokenizer) {
        self.path.token(tokenizer);
        self.state.token(tokenizer);
    }
}

/// What [`FileFacts`] say of a file without its path, for folders of so many files that their paths would be too long a list.
///
/// # Examples
/// ```
/// use musher_scheduler::files::FileState;
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("c.0.0");
/// assert_eq!(FileState::of(&path)?, None);
/// std::fs::write(&path, "12345678")?;
/// let state = FileState::of(&path)?.expect("it is there");
/// assert_eq!(state.bytes(), 8);
/// std::fs::remove_file(&path)?;
/// assert!(state.open(&path).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    bytes: u64,
    /// Since 1970, where the system says it.
    modified: Option<Duration>,
    /// Its number on its device, where the system says it: clocks of file systems are coarser than programs are fast. The
    /// device's own number is another one on each machine.
    identity: Option<u64>,
}

impl FileState {
    /// That of the file at a path; `None` where there is nothing. It looks each time: ask inside of [`once`].
    ///
    /// # Errors
    /// [`FilesError::Io`], and [`FilesError::NotAFile`] for anything but a regular file.
    pub fn of(path: &Path) -> Result<Option<Self>, FilesError> {
        match fs::metadata(path) {
            Ok(metadata) => Self::new(path, &metadata).map(Some),
            Err(error) if is_absent(&error) => Ok(None),
            Err(source) => Err(FilesError::io("look at", path, source)),
        }
    }

    fn new(path: &Path, metadata: &Metadata) -> Result<Self, FilesError> {
        if !metadata.is_file() {
            return Err(FilesError::NotAFile { path: path.to_owned() });
        }
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self { bytes: metadata.len(), modified, identity: identity(metadata) })
    }

    /// The file's length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Opens the file, if it is still what it was.
    ///
    /// # Errors
    /// [`FilesError::Io`] where it cannot be opened, [`FilesError::Changed`].
    pub fn open(&self, path: &Path) -> Result<File, FilesError> {
        let file = File::open(path).map_err(|source| FilesError::io("open", path, source))?;
        self.check(path, &file)?;
        Ok(file)
    }

    /// Fails unless the open file is still what it was.
    ///
    /// # Errors
    /// [`FilesError::Changed`]; [`FilesError::Io`] where the system says nothing of the file.
    pub fn check(&self, path: &Path, file: &File) -> Result<(), FilesError> {
        let metadata = file.metadata().map_err(|source| FilesError::io("look at", path, source))?;
        let now = Self::new(path, &metadata)?;
        let change = if now.bytes != self.bytes {
            Change::Length { then: self.bytes, now: now.bytes }
        } else if now.identity != self.identity {
            Change::Replaced
        } else if now.modified != self.modified {
            Change::Written
        } else {
            return Ok(());
        };
        Err(FilesError::Changed { path: path.to_owned(), change })
    }
}

impl Token for FileState {
    fn token(&self, tokenizer: &mut Tokenizer) {
        (self.bytes, self.modified, self.identity).token(tokenizer);
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(metadata.ino())
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<u64> {
    None
}

/// How a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It has another length.
    Length {
        /// Bytes it had.
        then: u64,
        /// Bytes it has.
        now: u64,
    },
    /// It was written to.
    Written,
    /// Another file stands in its place.
    Replaced,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { then, now } => write!(f, "it had {then} bytes then and has {now} now"),
            Self::Written => f.write_str("it was written to"),
            Self::Replaced => f.write_str("another file stands in its place"),
        }
    }
}

/// Why files could not be found, or not be opened as what they were.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A pattern that cannot be read.
    #[error("{pattern:?} is no pattern of file names")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// No file is what a pattern means.
    #[error("no file matches {pattern:?}")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A folder where a file was expected.
    #[error("{} is a folder; the files in it are `{}`", path.display(), path.join("*").display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// A pipe, a socket or a device.
    #[error("{} is no regular file", path.display())]
    NotAFile {
        /// What it is.
        path: PathBuf,
    },
    /// The system refused something.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file is not what it was when the graph was built.
    #[error("{} has changed since the graph was built: {change}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// How.
        change: Change,
    },
    /// What was an error when the answers were written down.
    #[error(transparent)]
    Told(Cause),
    /// The answers that were written down are to other questions: the program does not build what it built then.
    #[error("{question} of {} is asked, and was not when the answers were written down", path.display())]
    Diverged {
        /// What is asked.
        question: Cow<'static, str>,
        /// Of what.
        path: PathBuf,
    },
}

impl FilesError {
    fn io(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { operation, path: path.to_path_buf(), source }
    }
}

impl fmt::Debug for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        report(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    /// What a pattern below a folder means, relative to it.
    fn found(folder: &Path, pattern: &str, extensions: &[&str]) -> Result<Vec<String>, FilesError> {
        let files = find(folder.join(pattern), extensions)?;
        let relative =
            |file: &FileFacts| file.path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        Ok(files.iter().map(relative).collect())
    }

    #[test]
    fn numbers_in_names_count() {
        let ordered = [
            "a",
            "a/x",
            "a-1",
            "a0",
            "a1",
            "a1/9",
            "a1/10",
            "a1-1",
            "a1-2",
            "a1.csv",
            "a01b",
            "a02",
            "a2",
            "a02b",
            "a2c",
            "a10",
            "a10b3",
            "a10b20",
            "a10x",
            "a100",
            "a99999999999999999999999",
            "b1",
        ];
        for (position, one) in ordered.iter().enumerate() {
            for (other_position, other) in ordered.iter().enumerate() {
                let order = natural_order(Path::new(one), Path::new(other));
                assert_eq!(order, position.cmp(&other_position), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_pattern_matches_as_in_a_shell() {
        let folder = folder(&[
            "t-10.csv",
            "t-9.csv",
            "t-9.tsv",
            "t-1.csv.bak",
            ".t-1.csv",
            "._t-9.csv",
            "in/t-1.csv",
            "in/deep/t-2.csv",
            "in/.kept/t-3.csv",
            "in/.kept/.t-4.csv",
            "odd[1].csv",
        ]);
        let names = |pattern: &str| found(folder.path(), pattern, &[]).unwrap();
        assert_eq!(names("t-*.csv"), ["t-9.csv", "t-10.csv"]);
        assert_eq!(names("t-?.{tsv,csv}"), ["t-9.csv", "t-9.tsv"]);
        assert_eq!(names("t-[19]*.csv"), ["t-9.csv", "t-10.csv"]);
        assert_eq!(names("*/t-[0-9].csv"), ["in/t-1.csv"]);
        assert_eq!(names("{t-9.csv,in/t-1.csv}"), ["in/t-1.csv", "t-9.csv"]);
        assert_eq!(names("**/t-*.csv"), ["in/deep/t-2.csv", "in/t-1.csv", "t-9.csv", "t-10.csv"]);
        assert_eq!(names("in/**"), ["in/deep/t-2.csv", "in/t-1.csv"]);
        assert_eq!(names(".t*"), [".t-1.csv"]);
        assert_eq!(names("**/.kept/*"), ["in/.kept/t-3.csv"]);
        assert_eq!(names("**/.kept/.t*"), ["in/.kept/.t-4.csv"]);
        assert_eq!(names("odd[1].csv"), ["odd[1].csv"], "what exists means itself");
    }

    #[test]
    fn a_folder_means_the_files_in_it_where_extensions_say_which() {
        let folder = folder(&["a.csv", "b.CSV", "c.txt", ".d.csv", "in/e.csv", "f.csv/g.csv"]);
        assert_eq!(found(folder.path(), "", &["csv", "tsv"]).unwrap(), ["a.csv", "b.CSV"]);
        let error = find(folder.path(), &[]).unwrap_err();
        assert!(matches!(&error, FilesError::Folder { path } if path == folder.path()), "{error}");
        assert!(matches!(find(folder.path(), &["parquet"]), Err(FilesError::NoMatch { .. })));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        let folder = folder(&["in/a.csv"]);
        let error = |pattern: &str| found(folder.path(), pattern, &[]).unwrap_err();
        for pattern in ["*.tif", "no/such/*.tif", "no.tif", "in/a.csv/*", "in"] {
            let error = error(pattern);
            assert!(matches!(error, FilesError::NoMatch { .. } | FilesError::Folder { .. }), "{error}");
        }
        assert!(matches!(error("a[.csv"), FilesError::Pattern { .. }));
        assert!(format!("{:?}", error("a[.csv")).contains("\n\nCaused by:\n    "));
    }

    #[test]
    fn only_folders_that_may_hold_matches_are_entered() {
        let enters = |pattern: &str, name: &str, level: usize| {
            Walk::new(Path::new(""), pattern).unwrap().may_enter(OsStr::new(name), level)
        };
        assert!(enters("run-*/x.csv", "run-1", 1));
        assert!(!enters("run-*/x.csv", "systemd-private", 1));
        assert!(!enters("run-*/x.csv", "run-1", 2));
        assert!(!enters("run-*/*/x.csv", "other", 1));
        assert!(!enters("a*/**/x.csv", "b", 1));
        assert!(enters("a*/**/x.csv", "b", 2));
        // A choice may hold separators.
        assert!(enters("{t.csv,in/t.csv}", "in", 1));
        assert!(!enters("a/{t.csv,in/t.csv}", "in", 1));
        assert!(enters("a/{t.csv,in/t.csv}", "in", 2));
    }

    /// For any user but root, who may list every folder.
    #[cfg(unix)]
    #[test]
    fn folders_that_may_not_be_listed_stop_only_patterns_that_mean_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder(&["run-1/x.csv", "other/x.csv"]);
        let set = |mode| {
            fs::set_permissions(folder.path().join("other"), fs::Permissions::from_mode(mode)).unwrap()
        };
        set(0o000);
        let is_root = fs::read_dir(folder.path().join("other")).is_ok();
        let names = |pattern: &str| found(folder.path(), pattern, &[]);
        let (run, below, all) = (names("run-*/x.csv"), names("**/x.csv"), names("*/x.csv"));
        set(0o755);
        assert_eq!(run.unwrap(), ["run-1/x.csv"]);
        let expected: &[&str] = if is_root { &["other/x.csv", "run-1/x.csv"] } else { &["run-1/x.csv"] };
        assert_eq!(below.unwrap(), expected);
        match all {
            Ok(files) => assert!(is_root, "{files:?}"),
            Err(error) => {
                assert!(!is_root && matches!(error, FilesError::Io { operation: "list", .. }), "{error}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_read_and_never_followed_in_circles() {
        use std::os::unix::fs::symlink;
        let folder = folder(&["in/a.csv", "in/b/c.csv"]);
        let at = |name: &str| folder.path().join(name);
        symlink(folder.path(), at("in/circle")).unwrap();
        symlink(at("in"), at("in/b/circle")).unwrap();
        symlink(at("in/a.csv"), at("link.csv")).unwrap();
        let names = |pattern: &str| found(folder.path(), pattern, &[]);
        assert_eq!(names("**/*.csv").unwrap(), ["in/a.csv", "in/b/c.csv", "link.csv"]);
        // A pattern of fixed depth enters links, as a shell does.
        assert_eq!(names("in/*/*.csv").unwrap(), ["in/b/c.csv", "in/circle/link.csv"]);
        symlink(at("gone.csv"), at("dangling.csv")).unwrap();
        let error = names("*.csv").unwrap_err();
        assert!(matches!(&error, FilesError::Io { path, .. } if path == &at("dangling.csv")), "{error}");
        assert_eq!(names("link*").unwrap(), ["link.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_before_anybody_waits_for_it() {
        let folder = folder(&["a.csv"]);
        let socket = folder.path().join("b.csv");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for error in
            [find(folder.path().join("*.csv"), &[]), find(&socket, &[]), find(folder.path(), &["csv"])]
        {
            assert!(matches!(error.unwrap_err(), FilesError::NotAFile { path } if path == socket));
        }
    }

    #[test]
    fn a_file_that_has_changed_is_not_opened() {
        let folder = folder(&["a.csv"]);
        let path = folder.path().join("a.csv");
        let change = |facts: &FileFacts| match facts.open() {
            Err(FilesError::Changed { change, .. }) => Some(change),
            Err(error) => panic!("{error}"),
            Ok(_) => None,
        };
        let write_at = |path: &Path, text: &str, seconds: u64| {
            fs::write(path, text).unwrap();
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        write_at(&path, "x\n1\n", 1000);
        let facts = FileFacts::of(&path).unwrap();
        assert_eq!(change(&facts), None);
        write_at(&path, "y\n7\n", 1001);
        assert_eq!(change(&facts), Some(Change::Written));
        write_at(&path, "y\n7\n8\n", 1000);
        assert_eq!(change(&facts), Some(Change::Length { then: 4, now: 6 }));
        // Another file of equal length and time.
        let other = folder.path().join("b.csv");
        write_at(&other, "y\n7\n", 1000);
        fs::rename(&other, &path).unwrap();
        let expected = if cfg!(unix) { Some(Change::Replaced) } else { None };
        assert_eq!(change(&facts), expected);
        fs::remove_file(&path).unwrap();
        assert!(matches!(facts.open(), Err(FilesError::Io { operation: "open", .. })));
    }

    #[test]
    fn another_file_has_another_fingerprint() {
        use musher_graph_core::Key;
        let folder = folder(&["a.csv", "b.csv"]);
        let key = |name: &str| Key::of(&FileFacts::of(folder.path().join(name)).unwrap());
        let before = key("a.csv");
        assert_eq!(key("a.csv"), before);
        assert_ne!(key("b.csv"), before);
        fs::write(folder.path().join("a.csv"), "x").unwrap();
        assert_ne!(key("a.csv"), before);
    }
}
