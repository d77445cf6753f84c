//! An array in files as it was when it was opened: its metadata, and what tells its files from others.

use crate::kernel::zarr::{Found, Layout, MOST_METADATA, Version, ZarrError, covering};
use crate::zarr::options::Missing;
use musher_scheduler::files::{FileFacts, FileState, FilesError, once};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What was found when the array was opened, as plain data.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Opened {
    #[serde(with = "musher_graph_core::serde_path")]
    pub(super) path: PathBuf,
    pub(super) version: Version,
    pub(super) text: String,
    pub(super) attributes: Option<String>,
    /// Of each file, in C order; `None` where there is none.
    pub(super) files: Vec<Option<FileState>>,
}

/// Why a file cannot be read, without its path: the error around it says that.
impl From<FilesError> for ZarrError {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::Io { source, .. } => source.into(),
            other => io::Error::other(other).into(),
        }
    }
}

impl Opened {
    /// Reads the metadata, and looks at each file if `missing` says what one means that is not there.
    pub(super) fn look(path: &Path, missing: Option<Missing>) -> Result<Self, ZarrError> {
        let asked = missing.map(|missing| missing == Missing::Fill);
        once("the Zarr array", path, &asked, || {
            let mut opened = match (text(path, Version::V3.file())?, text(path, Version::V2.file())?) {
                (Some((path, text)), _) => {
                    Self { path, version: Version::V3, text, attributes: None, files: Vec::new() }
                }
                (None, Some((folder, found))) => {
                    let attributes = text(path, ".zattrs")?.map(|(_, text)| text);
                    Self { path: folder, version: Version::V2, text: found, attributes, files: Vec::new() }
                }
                (None, None) if FileState::of(&path.join(".zgroup"))?.is_some() => {
                    return Err(ZarrError::Group);
                }
                (None, None) => return Err(ZarrError::NotAnArray),
            };
            if let Some(missing) = missing {
                opened.files = opened.states(missing)?;
            }
            Ok(opened)
        })
    }

    /// What the metadata say.
    pub(super) fn layout(&self) -> Result<Layout, ZarrError> {
        Layout::parse(self.version, &self.text, self.attributes.as_deref())
    }

    fn states(&self, missing: Missing) -> Result<Vec<Option<FileState>>, ZarrError> {
        let layout = self.layout()?;
        let all: Vec<_> = layout.shape.iter().map(|&n| 0..n).collect();
        let (mut states, mut first) = (Vec::new(), None);
        for at in covering(&all, &layout.file) {
            let key = layout.key(&at)?;
            let state = FileState::of(&self.path.join(&key))?;
            if state.is_none() && first.is_none() {
                first = Some(key);
            }
            states.push(state);
        }
        match (first, missing) {
            (Some(chunk), Missing::Error) => {
                let present = states.iter().flatten().count();
                Err(ZarrError::Missing { chunk, present, expected: states.len() })
            }
            _ => Ok(states),
        }
    }

    /// What was found of the file at these coordinates.
    pub(super) fn state(&self, layout: &Layout, at: &[usize]) -> Option<FileState> {
        let index = at.iter().zip(layout.n_files()).fold(0, |index, (at, n)| index * n + at);
        self.files.get(index).copied().flatten()
    }

    /// The file at these coordinates, if it was there and is still the same.
    pub(super) fn open(&self, layout: &Layout, at: &[usize]) -> Result<Option<Found>, ZarrError> {
        let name = layout.key(at)?;
        let path = self.path.join(&name);
        let changed = |how: String| ZarrError::Changed { chunk: name.clone(), how };
        let Some(state) = self.state(layout, at) else {
            return match FileState::of(&path)? {
                Some(_) => Err(changed("it was not there".to_owned())),
                None => Ok(None),
            };
        };
        match state.open(&path) {
            Ok(file) => Ok(Some(Found { file, bytes: state.bytes(), name })),
            Err(FilesError::Changed { change, .. }) => Err(changed(change.to_string())),
            Err(FilesError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(changed("it is gone".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The text of a small file, if it is there, and the absolute path of its folder.
fn text(folder: &Path, name: &'static str) -> Result<Option<(PathBuf, String)>, ZarrError> {
    let wrong = |problem: &str| ZarrError::Metadata { file: name, problem: problem.to_owned() };
    let facts = match FileFacts::of(folder.join(name)) {
        Ok(facts) => facts,
        Err(FilesError::Io { source, .. })
            if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(FilesError::NotAFile { .. }) => return Err(wrong("it is no file")),
        Err(error) => return Err(error.into()),
    };
    let mut text = Vec::new();
    if facts.open()?.take(MOST_METADATA + 1).read_to_end(&mut text)? as u64 > MOST_METADATA {
        return Err(wrong("it is longer than 16 MiB"));
    }
    let text = String::from_utf8(text).map_err(|_| wrong("it is no text in UTF-8"))?;
    Ok(Some((facts.path().parent().unwrap_or(folder).to_owned(), text)))
}
