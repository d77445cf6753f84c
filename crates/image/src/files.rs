//! Which files a pattern means, and in which order.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::error::Error;

/// The files that a pattern matches, in natural order: `tile-2` before `tile-10`.
///
/// A path without `*`, `?`, `[` or `{`, or one that exists as it is written, means itself. `**` matches any number of
/// folders. Names that begin with a dot are passed over unless the pattern spells the dot. Folders that are links are
/// not entered.
pub(crate) fn matching(pattern: &str, caller: &'static Location<'static>) -> Result<Vec<PathBuf>, Error> {
    let special = pattern.find(['*', '?', '[', '{']);
    let path = Path::new(pattern);
    let Some(special) = special.filter(|_| !path.exists()) else {
        require_file(path)?;
        return Ok(vec![path.to_path_buf()]);
    };
    let split = pattern[..special].rfind('/').map_or(0, |slash| slash + 1);
    let (folder, rest) = pattern.split_at(split);
    let matcher = GlobBuilder::new(rest)
        .literal_separator(true)
        .build()
        .map_err(|source| Error::Pattern { pattern: pattern.to_owned(), source: source.into(), caller })?
        .compile_matcher();
    let folder = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let mut files = walk(folder, rest, &matcher)?;
    if files.is_empty() {
        return Err(Error::NoFiles { pattern: pattern.to_owned(), caller });
    }
    files.sort_by(|one, other| natural(one, other));
    Ok(files)
}

/// Walks a folder, down to as many levels as the pattern has.
fn walk(folder: &Path, pattern: &str, matcher: &GlobMatcher) -> Result<Vec<PathBuf>, Error> {
    let depth = if pattern.contains("**") { usize::MAX } else { pattern.split('/').count() };
    let hidden = pattern.split('/').any(|part| part.starts_with('.'));
    let mut files = Vec::new();
    // Folders that wait, relative to `folder`, with their depth.
    let mut waiting = vec![(PathBuf::new(), 1)];
    while let Some((relative, level)) = waiting.pop() {
        let here = folder.join(&relative);
        let entries = match fs::read_dir(&here) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Io { path: here, action: "list", source }),
        };
        for entry in entries {
            let entry = entry.map_err(|source| Error::Io { path: here.clone(), action: "list", source })?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") && !hidden {
                continue;
            }
            let kind = entry.file_type().map_err(|source| Error::Io {
                path: entry.path(),
                action: "look at",
                source,
            })?;
            let below = relative.join(&name);
            if kind.is_dir() {
                if level < depth {
                    waiting.push((below, level + 1));
                }
            } else if matcher.is_match(&below) {
                let path = if folder == Path::new(".") { below } else { folder.join(below) };
                require_inside(&path, folder, kind.is_symlink())?;
                require_file(&path)?;
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Refuses what is not a regular file: opening a pipe would wait forever.
pub(crate) fn require_file(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(facts) if facts.is_file() => Ok(()),
        Ok(_) => Err(Error::NotAFile { path: path.to_path_buf() }),
        Err(source) => Err(Error::Io { path: path.to_path_buf(), action: "open", source }),
    }
}

/// Refuses a link that leads out of the folder in which it was found.
fn require_inside(path: &Path, folder: &Path, is_link: bool) -> Result<(), Error> {
    if !is_link {
        return Ok(());
    }
    let follow = |path: &Path| {
        fs::canonicalize(path).map_err(|source| Error::Io {
            path: path.to_path_buf(),
            action: "follow",
            source,
        })
    };
    match follow(path)?.starts_with(follow(folder)?) {
        true => Ok(()),
        false => Err(Error::LeavesFolder { path: path.to_path_buf() }),
    }
}

/// Compares paths so that numbers in names count as numbers.
pub(crate) fn natural(one: &Path, other: &Path) -> Ordering {
    let (mut a, mut b) = (one.as_os_str().as_encoded_bytes(), other.as_os_str().as_encoded_bytes());
    while let (Some(first), Some(second)) = (a.first(), b.first()) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (left, right) = (take_digits(&mut a), take_digits(&mut b));
            left.len().cmp(&right.len()).then(left.cmp(right))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            // A folder comes before the names that go on.
            let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
            rank(*first).cmp(&rank(*second))
        };
        if order.is_ne() {
            return order;
        }
    }
    // Equal but for leading zeros, or one is the beginning of the other.
    a.len().cmp(&b.len()).then_with(|| one.cmp(other))
}

/// Takes the digits at the beginning, and gives them back without leading zeros.
fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::Location;
    use std::path::Path;

    use super::{matching, natural};
    use crate::error::Error;

    fn names(folder: &Path, pattern: &str) -> Result<Vec<String>, Error> {
        let pattern = format!("{}/{pattern}", folder.display());
        let files = matching(&pattern, Location::caller())?;
        let relative =
            |file: &std::path::PathBuf| file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        Ok(files.iter().map(relative).collect())
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn numbers_in_names_count() {
        let mut paths =
            ["b1", "a10", "a2", "a02", "a2b", "a", "a1/9", "a1/10", "a1-1", "a99999999999999999999999"];
        paths.sort_by(|one, other| natural(Path::new(one), Path::new(other)));
        let expected =
            ["a", "a1/9", "a1/10", "a1-1", "a02", "a2", "a2b", "a10", "a99999999999999999999999", "b1"];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_pattern_matches_within_its_folders() {
        let folder = folder(&["t-10.png", "t-9.png", "t-9.jpg", ".t-1.png", "in/t-1.png", "in/deep/t-2.png"]);
        let names = |pattern: &str| names(folder.path(), pattern).unwrap();
        assert_eq!(names("t-*.png"), ["t-9.png", "t-10.png"]);
        assert_eq!(names("t-?.{png,jpg}"), ["t-9.jpg", "t-9.png"]);
        assert_eq!(names("*/t-[0-9].png"), ["in/t-1.png"]);
        assert_eq!(names("**/t-*.png"), ["in/deep/t-2.png", "in/t-1.png", "t-9.png", "t-10.png"]);
        assert_eq!(names(".t*"), [".t-1.png"]);
        assert_eq!(names("t-9.png"), ["t-9.png"]);
    }

    #[test]
    fn a_name_with_brackets_means_itself_when_it_exists() {
        let folder = folder(&["a[1].png", "a1.png"]);
        assert_eq!(names(folder.path(), "a[1].png").unwrap(), ["a[1].png"]);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        let folder = folder(&["in/a.png"]);
        let error = |pattern: &str| names(folder.path(), pattern).unwrap_err();
        assert!(matches!(error("*.tif"), Error::NoFiles { .. }));
        assert!(matches!(error("no/such/*.tif"), Error::NoFiles { .. }));
        assert!(matches!(error("no.tif"), Error::Io { .. }));
        assert!(matches!(error("in"), Error::NotAFile { .. }));
        assert!(matches!(error("a[.png"), Error::Pattern { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_only_inside_their_folder() {
        use std::os::unix::fs::symlink;
        let outside = folder(&["secret.png"]);
        let inside = folder(&["a.png"]);
        symlink(inside.path().join("a.png"), inside.path().join("b.png")).unwrap();
        assert_eq!(names(inside.path(), "*.png").unwrap(), ["a.png", "b.png"]);
        symlink(outside.path().join("secret.png"), inside.path().join("c.png")).unwrap();
        assert!(matches!(names(inside.path(), "*.png"), Err(Error::LeavesFolder { .. })));
        assert_eq!(names(inside.path(), "c.png").unwrap(), ["c.png"]);
    }
}
