//! The files that a pattern names, in natural order.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

/// Why a pattern names no files.
#[derive(Debug)]
pub(crate) enum GlobError {
    /// The pattern is not one.
    Pattern(globset::Error),
    /// A folder could not be listed.
    List { folder: PathBuf, source: io::Error },
    /// Nothing has such a name.
    NoMatch,
}

/// The files whose paths match `pattern`, in natural order: `part-2` stands before `part-10`.
///
/// `*` and `?` do not match the separator, `**` matches any folders, `[..]` and `{a,b}` choose. A pattern that is the name of
/// a file is that file, whatever characters it has.
pub(crate) fn files(pattern: &str) -> Result<Vec<PathBuf>, GlobError> {
    if Path::new(pattern).is_file() {
        return Ok(vec![PathBuf::from(pattern)]);
    }
    let matcher = GlobBuilder::new(pattern).literal_separator(true).build().map_err(GlobError::Pattern)?;
    let matcher = matcher.compile_matcher();
    let (root, depth) = fixed_part(pattern);
    let mut found = Vec::new();
    let mut folders = vec![(root, depth)];
    while let Some((folder, depth)) = folders.pop() {
        let list = |source| GlobError::List { folder: folder.clone(), source };
        let listed = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => &folder,
        };
        let entries = match fs::read_dir(listed) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(list(error)),
        };
        for entry in entries {
            let path = folder.join(entry.map_err(list)?.file_name());
            let Ok(facts) = fs::metadata(&path) else { continue };
            if facts.is_dir() && depth > 1 {
                folders.push((path, depth - 1));
            } else if facts.is_file() && matcher.is_match(&path) {
                found.push(path);
            }
        }
    }
    found.sort_by(|left, right| natural_order(&left.to_string_lossy(), &right.to_string_lossy()));
    match found.is_empty() {
        true => Err(GlobError::NoMatch),
        false => Ok(found),
    }
}

/// The folder before the first special character, and how many levels below it names may lie.
fn fixed_part(pattern: &str) -> (PathBuf, usize) {
    let is_special =
        |part: &Component| part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']);
    let parts: Vec<_> = Path::new(pattern).components().collect();
    let fixed = parts.iter().position(is_special).unwrap_or(parts.len().saturating_sub(1));
    // Links that form a circle end here, too: no path is deeper than this.
    const ANY_DEPTH: usize = 64;
    let depth = match pattern.contains("**") || pattern.contains('{') {
        true => ANY_DEPTH,
        false => parts.len() - fixed,
    };
    (parts[..fixed].iter().collect(), depth)
}

/// Compares names as people do: runs of digits by their value, everything else by character.
///
/// Names that differ only in leading zeros are equal so far as their values go, and then differ by character.
pub(crate) fn natural_order(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left.as_bytes(), right.as_bytes());
    while let (Some(&first), Some(&second)) = (a.first(), b.first()) {
        let order = match first.is_ascii_digit() && second.is_ascii_digit() {
            true => {
                let (number, other) = (take_digits(&mut a), take_digits(&mut b));
                number.len().cmp(&other.len()).then_with(|| number.cmp(other))
            }
            false => {
                (a, b) = (&a[1..], &b[1..]);
                first.cmp(&second)
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| left.cmp(right))
}

/// Takes the digits at the front and returns them without leading zeros.
fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    *text = rest;
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::{GlobError, files, natural_order};
    use std::fs;

    #[test]
    fn numbers_are_ordered_by_value() {
        let ordered = [
            "a",
            "a0",
            "a1",
            "a01b",
            "a2",
            "a2b",
            "a10",
            "a10b3",
            "a10b20",
            "a100000000000000000000000",
            "b",
        ];
        for (position, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(natural_order(left, right), position.cmp(&other), "{left} {right}");
            }
        }
        assert!(natural_order("a01", "a1").is_lt());
    }

    #[test]
    fn patterns_find_files_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["part-10.txt", "part-2.txt", "part-1.csv", "x/part-3.txt", "x/y/part-1.txt", "odd[1].txt"]
        {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let find = |pattern: &str| -> Vec<String> {
            let found = files(folder.path().join(pattern).to_str().unwrap()).unwrap();
            found
                .iter()
                .map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(find("part-*.txt"), ["part-2.txt", "part-10.txt"]);
        assert_eq!(find("*/*.txt"), ["x/part-3.txt"]);
        assert_eq!(find("**/part-*.txt"), ["part-2.txt", "part-10.txt", "x/part-3.txt", "x/y/part-1.txt"]);
        assert_eq!(find("part-[12].*"), ["part-1.csv", "part-2.txt"]);
        assert_eq!(find("{part-1.csv,x/part-3.txt}"), ["part-1.csv", "x/part-3.txt"]);
        assert_eq!(find("odd[1].txt"), ["odd[1].txt"]);
        let missing = |pattern: &str| files(folder.path().join(pattern).to_str().unwrap());
        assert!(matches!(missing("none-*"), Err(GlobError::NoMatch)));
        assert!(matches!(missing("no/such/folder/*"), Err(GlobError::NoMatch)));
        assert!(matches!(missing("a[b"), Err(GlobError::Pattern(_))));
    }
}
