//! Patterns of file names, in natural order: `part-2` comes before `part-10`.

use std::cmp::Ordering;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use globset::GlobBuilder;

use super::{FileFacts, Site};
use crate::Error;

/// The files that fit a pattern, in natural order; a name without wildcards is that file, a directory all files in
/// it with one of the `extensions`.
///
/// `*` and `?` stop at directory separators, `**` does not. Names that begin with a dot are passed over.
pub(super) fn find(pattern: &str, extensions: &[&str], site: Site) -> Result<Vec<FileFacts>, Error> {
    let plain = Path::new(pattern);
    let mut paths = Vec::new();
    if plain.is_dir() {
        walk(plain, 1, &mut |path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            if extension.is_some_and(|extension| extensions.contains(&extension)) {
                paths.push(path);
            }
        })?;
    } else if plain.exists() {
        paths.push(plain.to_path_buf());
    } else {
        let wrong = |source| Error::Pattern {
            operation: site.operation,
            pattern: pattern.into(),
            caller: site.caller,
            source,
        };
        let glob =
            GlobBuilder::new(pattern).literal_separator(true).build().map_err(wrong)?.compile_matcher();
        let (base, depth) = fixed_part(plain);
        if base.is_dir() {
            walk(&base, depth, &mut |path| {
                // A relative pattern has no `./` in front; neither have the paths that are compared with it.
                let name =
                    path.strip_prefix(".").ok().filter(|_| !pattern.starts_with("./")).unwrap_or(&path);
                if glob.is_match(name) {
                    paths.push(path);
                }
            })?;
        }
    }
    paths.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b)));
    if paths.is_empty() {
        return Err(Error::NoFiles {
            operation: site.operation,
            pattern: pattern.into(),
            caller: site.caller,
        });
    }
    paths.into_iter().map(facts).collect()
}

fn facts(path: PathBuf) -> Result<FileFacts, Error> {
    let metadata =
        fs::metadata(&path).map_err(|source| Error::Io { operation: "stat", path: path.clone(), source })?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(FileFacts { bytes: metadata.len(), modified: modified.map_or(0, |since| since.as_nanos()), path })
}

/// The directory in front of the first wildcard, and how deep below it files may lie.
fn fixed_part(pattern: &Path) -> (PathBuf, usize) {
    let is_wild = |component: &Component<'_>| {
        component.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\'])
    };
    let base: PathBuf = pattern.components().take_while(|component| !is_wild(component)).collect();
    let rest: Vec<_> = pattern.components().skip_while(|component| !is_wild(component)).collect();
    // A brace may hold separators, and `**` any number of directories.
    let unbounded = rest.iter().any(|component| {
        let text = component.as_os_str().to_string_lossy();
        text.contains("**") || text.contains('{')
    });
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    (base, if unbounded { usize::MAX } else { rest.len() })
}

/// Visits the files below a directory, at most `depth` levels down; without recursion.
fn walk(base: &Path, depth: usize, visit: &mut dyn FnMut(PathBuf)) -> Result<(), Error> {
    let mut pending = vec![(base.to_path_buf(), depth)];
    while let Some((directory, depth)) = pending.pop() {
        let failed = |source| Error::Io { operation: "list", path: directory.clone(), source };
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if hidden {
                continue;
            }
            match path.is_dir() {
                true if depth > 1 => pending.push((path, depth - 1)),
                true => {}
                false => visit(path),
            }
        }
    }
    Ok(())
}

/// Compares names with runs of digits by their value.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, rest_of_a) = digits(a);
                let (y, rest_of_b) = digits(b);
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
                if order.is_ne() {
                    return order;
                }
                (a, b) = (rest_of_a, rest_of_b);
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

/// A run of digits without leading zeros, and what follows it.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let start = text[..end].iter().position(|&byte| byte != b'0').unwrap_or(end);
    (&text[start..end], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_compared_by_value() {
        let mut names = ["a10", "a2", "a02b", "b1", "a", "a10x", "a1.csv", "a1-2", "a100"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "a1-2", "a1.csv", "a2", "a02b", "a10", "a10x", "a100", "b1"]);
    }

    #[test]
    fn the_fixed_part_of_a_pattern_ends_at_the_first_wildcard() {
        let of = |pattern: &str| fixed_part(Path::new(pattern));
        assert_eq!(of("data/x-*.csv"), (PathBuf::from("data"), 1));
        assert_eq!(of("*.csv"), (PathBuf::from("."), 1));
        assert_eq!(of("/a/b?/c/*.csv"), (PathBuf::from("/a"), 3));
        assert_eq!(of("a/**/*.csv"), (PathBuf::from("a"), usize::MAX));
    }
}
