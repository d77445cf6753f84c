//! Every promise of a sink, for each way in which one comes to its place.

mod killed;
mod steps;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use musher_graph_core::RunNumber;

use super::{Receipt, SinkError, Stage, Target, open};

/// Parts of what is written.
const PARTS: u64 = 6;
/// Bytes of a part, so that lengths tell nothing.
const BYTES: usize = 600;
const HEADER: &[u8] = b"header";

/// A way in which files come to their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Way {
    Folder,
    /// A folder where two cannot be exchanged.
    TwoRenames,
    NewFolder,
    Files,
    File,
    Offsets,
}

const WAYS: [Way; 6] = [Way::Folder, Way::TwoRenames, Way::NewFolder, Way::Files, Way::File, Way::Offsets];

impl Way {
    fn open(self, folder: &Path) -> Stage {
        self.open_as(folder, RunNumber::fresh().unwrap().to_bits()).unwrap()
    }

    fn open_as(self, folder: &Path, run: u128) -> Result<Stage, SinkError> {
        let path = self.path(folder);
        let length = (HEADER.len() + PARTS as usize * BYTES) as u64;
        let target = match self {
            Self::Folder | Self::TwoRenames => Target::folder(path),
            Self::NewFolder => Target::new_folder(path),
            Self::Files => Target::files(path),
            Self::File => Target::file(path),
            Self::Offsets => Target::offsets(path, HEADER.to_vec(), length),
        };
        let stage = open(&target, run)?;
        Ok(Stage { exchanges: stage.exchanges && self != Self::TwoRenames, ..stage })
    }

    /// Where it is written.
    fn path(self, folder: &Path) -> PathBuf {
        if self == Self::Files { folder.to_owned() } else { folder.join("target") }
    }

    fn write(self, stage: &Stage, generation: u64, part: u64) -> Result<Receipt, SinkError> {
        let (name, bytes) = (name(part), content(generation, part));
        match self {
            Self::Offsets => stage.write_range(&name, |file| {
                let at = SeekFrom::Start((HEADER.len() + part as usize * BYTES) as u64);
                file.seek(at)
                    .and_then(|_| file.write_all(&bytes))
                    .map_err(|error| stage.failed("write", error))?;
                Ok(1)
            }),
            _ => stage.write_part(&name, |file| {
                file.write_all(&bytes).map_err(|error| stage.failed("write", error))?;
                Ok(1)
            }),
        }
    }

    fn commit(self, stage: &Stage, receipts: &[Receipt]) -> Result<u64, SinkError> {
        stage.assemble(receipts, |mut file| {
            file.write_all(HEADER).map_err(|error| stage.failed("write", error))?;
            for receipt in receipts {
                let copied = io::copy(&mut stage.open_part(receipt)?, &mut file);
                copied.map_err(|error| stage.failed("write", error))?;
            }
            Ok(())
        })
    }

    /// All of it.
    fn run(self, folder: &Path, generation: u64) -> (Stage, Vec<Receipt>) {
        let stage = self.open(folder);
        let receipts: Vec<_> = (0..PARTS).map(|part| self.write(&stage, generation, part).unwrap()).collect();
        let bytes = self.commit(&stage, &receipts).unwrap();
        assert_eq!(bytes, self.bytes(), "{self:?}");
        (stage, receipts)
    }

    fn bytes(self) -> u64 {
        let header = if matches!(self, Self::File | Self::Offsets) { HEADER.len() } else { 0 };
        (header + PARTS as usize * BYTES) as u64
    }

    /// The generations that are there, each part compared to its last byte; none if nothing is.
    fn found(self, folder: &Path) -> BTreeSet<u64> {
        let path = self.path(folder);
        let parts: Vec<Vec<u8>> = match self {
            Self::File | Self::Offsets => match fs::read(&path) {
                Ok(bytes) => {
                    let parts = bytes.strip_prefix(HEADER).unwrap();
                    assert_eq!(parts.len(), PARTS as usize * BYTES);
                    parts.chunks(BYTES).map(<[u8]>::to_vec).collect()
                }
                Err(_) => Vec::new(),
            },
            _ => (0..PARTS).filter_map(|part| fs::read(path.join(name(part))).ok()).collect(),
        };
        assert!([0, PARTS as usize].contains(&parts.len()) || self == Self::Files, "{self:?}: all or none");
        let generation = |(part, bytes): (usize, &Vec<u8>)| {
            let generation = std::str::from_utf8(&bytes[..8]).unwrap().parse().unwrap();
            assert!(*bytes == content(generation, part as u64), "{self:?}: torn");
            generation
        };
        parts.iter().enumerate().map(generation).collect()
    }

    /// What is in the folder, hidden things too, less what belongs there.
    fn litter(self, folder: &Path) -> Vec<String> {
        let mut ours: BTreeSet<String> = (0..PARTS).map(name).collect();
        let mut found = names(folder);
        if self != Self::Files {
            if folder.join("target").is_dir() {
                found.extend(names(&folder.join("target")));
            }
            ours.insert("target".to_owned());
        }
        found.retain(|name| !ours.contains(name));
        found
    }
}

fn name(part: u64) -> String {
    format!("part-{part}")
}

fn content(generation: u64, part: u64) -> Vec<u8> {
    let line = format!("{generation:08} of part {part}\n");
    line.bytes().cycle().take(BYTES).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
