//! Settings: how to run, told once for a program, a shell or a machine instead of with every call.
//!
//! There are five sources; each overrules those before it.
//!
//! | source | for example |
//! |---|---|
//! | the defaults | 60 % of the machine's memory; outside Linux of 4 GiB, see [`Machine`](crate::Machine) |
//! | a file: `musher.toml` in the working directory, or the one that `MUSHER_CONFIG` names | `memory_limit = "2GiB"` |
//! | the environment | `MUSHER_MEMORY_LIMIT=2GiB` |
//! | a scope in the program | [`Settings::scoped`] |
//! | the options of one call | [`Options`](crate::Options) |
//!
//! File and environment are read once per process, when settings are first asked for, so that no run sees half a change
//! and asking again costs nothing. An error in them is found by everyone who asks. What nobody understands is an error,
//! not a default: a limit with a typing error would otherwise be no limit.

use std::cell::RefCell;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use musher_graph_core::ByteSize;
use toml::de::{DeTable, DeValue};

use crate::disk::{SpillCompression, SpillOptions};
use crate::machine::Machine;
use crate::sync::{Arc, thread_local};

mod error;
#[cfg(test)]
mod tests;

pub use error::{SettingsError, SettingsSource};

/// How to run: threads, memory, disk, retries.
///
/// | field | in the file | in the environment | default |
/// |---|---|---|---|
/// | `threads` | `threads = 4` | `MUSHER_THREADS=4` | one for each core |
/// | `memory_limit` | `memory_limit = "2GiB"` or `"50%"` | `MUSHER_MEMORY_LIMIT=2GiB` | 60 % of the machine's memory |
/// | `spill_dir` | `spill_dir = "/scratch"` | `MUSHER_SPILL_DIR=/scratch` | the system's folder for temporary files |
/// | `spill_limit` | `spill_limit = "100GiB"` | `MUSHER_SPILL_LIMIT=100GiB` | 80 % of what is free, less 1 GiB |
/// | `spill_compression` | `spill_compression = "auto"` | `MUSHER_SPILL_COMPRESSION=never` | `auto` |
/// | `retries` | `retries = 5` | `MUSHER_RETRIES=5` | 2 |
///
/// # Examples
/// ```
/// use musher_scheduler::Settings;
/// let mut settings = Settings::default();
/// settings.memory_limit = "1GiB".parse()?;
/// let seen = settings.scoped(|| Settings::current().map(|settings| settings.memory_limit.bytes()));
/// assert_eq!(seen?, 1 << 30);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(alias = "config")]
#[non_exhaustive]
pub struct Settings {
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// Bytes that chunks and declared scratch may take at once. In file and environment also a share of the machine's
    /// memory, as [`Machine`] knows it.
    pub memory_limit: ByteSize,
    /// The existing folder under which chunks are spilled. A relative path in the file starts at the file's own folder.
    #[doc(alias = "temporary-directory")]
    pub spill_dir: PathBuf,
    /// Bytes that may be spilled at once; `None` is what [`SpillOptions`] says.
    pub spill_limit: Option<ByteSize>,
    /// Whether spilled bytes are compressed.
    pub spill_compression: SpillCompression,
    /// How often a source or sink that failed is tried again.
    pub retries: u32,
}

/// The names of all settings.
const KEYS: [&str; 6] =
    ["threads", "memory_limit", "spill_dir", "spill_limit", "spill_compression", "retries"];

/// What variables of the environment begin with.
const PREFIX: &str = "MUSHER_";

/// Names the file.
const FILE_VARIABLE: &str = "MUSHER_CONFIG";

/// The file where no variable names one.
const FILE: &str = "musher.toml";

thread_local! {
    /// The innermost scope on this thread.
    static SCOPE: RefCell<Scoped> = const { RefCell::new(Scoped(None)) };
}

impl Default for Settings {
    /// The defaults on this machine; neither file nor environment plays a part.
    fn default() -> Self {
        Self::of(&Machine::current())
    }
}

impl Settings {
    /// The defaults on a machine.
    fn of(machine: &Machine) -> Self {
        Self {
            threads: machine.cores,
            memory_limit: machine.default_memory_limit(),
            spill_dir: std::env::temp_dir(),
            spill_limit: None,
            spill_compression: SpillCompression::default(),
            retries: 2,
        }
    }

    /// The settings that hold here: those of the innermost scope on this thread, or of the process.
    ///
    /// **Cost** one copy; the first call reads file and environment.
    ///
    /// # Errors
    /// [`SettingsError`] where the file or the environment has a setting that is not valid; a scope reads neither.
    ///
    /// # Examples
    /// ```
    /// use musher_scheduler::Settings;
    /// assert!(Settings::current()?.threads.get() >= 1);
    /// # Ok::<(), musher_scheduler::SettingsError>(())
    /// ```
    pub fn current() -> Result<Self, SettingsError> {
        static PROCESS: OnceLock<Result<Settings, SettingsError>> = OnceLock::new();
        match Scoped::here() {
            Scoped(Some(settings)) => Ok(Self::clone(&settings)),
            Scoped(None) => PROCESS.get_or_init(Self::of_process).clone(),
        }
    }

    /// Runs a function under these settings: they hold for whatever it computes from this thread, until it returns or
    /// panics. Scopes may be nested; the innermost one counts.
    ///
    /// They also hold for what the tasks of these runs compute themselves, on any thread, and for what is
    /// submitted to a [`Client`](crate::Client), whenever that runs. A thread that the program starts on its own
    /// has no scope.
    ///
    /// # Examples
    /// ```
    /// use musher_scheduler::Settings;
    /// let mut settings = Settings::default();
    /// settings.retries = 7;
    /// let retries = settings.scoped(|| Settings::current().map(|settings| settings.retries));
    /// assert_eq!(retries?, 7);
    /// # Ok::<(), musher_scheduler::SettingsError>(())
    /// ```
    #[doc(alias = "set")]
    pub fn scoped<T>(self, run: impl FnOnce() -> T) -> T {
        Scoped(Some(Arc::new(self))).run(run)
    }

    /// Where and how these settings say to spill; nothing stays in memory by them.
    ///
    /// # Examples
    /// ```
    /// use musher_scheduler::Settings;
    /// let settings = Settings::default();
    /// assert_eq!(settings.spill_options().base, settings.spill_dir);
    /// ```
    pub fn spill_options(&self) -> SpillOptions {
        let options = SpillOptions::default().base(&self.spill_dir).compression(self.spill_compression);
        match self.spill_limit {
            Some(limit) => options.limit(limit.bytes()),
            None => options,
        }
    }

    /// What file and environment of this process say.
    fn of_process() -> Result<Self, SettingsError> {
        let named = std::env::var_os(FILE_VARIABLE).map(PathBuf::from);
        let path = named.clone().unwrap_or_else(|| FILE.into());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            // Nobody has to have a file; but one that is named must be there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => None,
            Err(error) => return Err(SettingsError::Read { path, source: error.into() }),
        };
        let file = text.as_deref().map(|text| (path.as_path(), text));
        Self::merge(&Machine::current(), file, std::env::vars_os())
    }

    /// The defaults on a machine, overruled by the text of a file, overruled by variables.
    fn merge(
        machine: &Machine,
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::of(machine);
        if let Some((path, text)) = file {
            settings.read_file(machine, path, text)?;
        }
        // In order of their names, so that of several errors it is always the same that is told.
        let mut variables: Vec<_> = environment.into_iter().collect();
        variables.sort();
        for (variable, value) in variables {
            let Some(name) = variable.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            if name == FILE_VARIABLE {
                continue;
            }
            let source = || SettingsSource::Variable(name.to_owned());
            let key = KEYS.into_iter().find(|key| name[PREFIX.len()..] == key.to_ascii_uppercase());
            let key = key.ok_or_else(|| SettingsError::Unknown { at: source(), key: name.to_owned() })?;
            settings.set(machine, key, &value.to_string_lossy()).map_err(|expected| {
                let value = value.to_string_lossy().into();
                SettingsError::Value { at: source(), key: key.into(), value, expected: expected.into() }
            })?;
            if key == "spill_dir" {
                // The name of a folder need not be text.
                settings.spill_dir = value.into();
            }
        }
        Ok(settings)
    }

    fn read_file(&mut self, machine: &Machine, path: &Path, text: &str) -> Result<(), SettingsError> {
        let at = |offset: usize| {
            let before = text.get(..offset).unwrap_or(text);
            let line = 1 + before.bytes().filter(|&byte| byte == b'\n').count();
            SettingsSource::File { path: path.to_owned(), line }
        };
        let table = DeTable::parse(text).map_err(|error| SettingsError::Syntax {
            at: at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        // In the order of the lines, so that it is the first error that is told.
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let source = || at(key.span().start);
            let known = KEYS.into_iter().find(|known| known == key.get_ref());
            let key = known
                .ok_or_else(|| SettingsError::Unknown { at: source(), key: key.get_ref().to_string() })?;
            let set = match value.get_ref() {
                DeValue::String(value) => self.set(machine, key, value),
                DeValue::Integer(value) => i128::from_str_radix(value.as_str(), value.radix())
                    .map_err(|_| expected_of(key))
                    .and_then(|value| self.set(machine, key, &value.to_string())),
                _ => Err(expected_of(key)),
            };
            set.map_err(|expected| {
                let value = text.get(value.span()).unwrap_or_default().to_owned();
                SettingsError::Value { at: source(), key: key.into(), value, expected: expected.into() }
            })?;
            if key == "spill_dir" {
                let folder = path.parent().unwrap_or(Path::new(""));
                self.spill_dir = folder.join(&self.spill_dir);
            }
        }
        Ok(())
    }

    /// Sets the setting of a known name to a value; an error says what is expected.
    fn set(&mut self, machine: &Machine, key: &'static str, value: &str) -> Result<(), &'static str> {
        let done = match key {
            "threads" => value.parse().ok().map(|threads| self.threads = threads),
            "memory_limit" => return limit_of(key, machine, value).map(|limit| self.memory_limit = limit),
            "spill_dir" => (!value.is_empty()).then(|| self.spill_dir = value.into()),
            "spill_limit" => {
                return limit_of(key, machine, value).map(|limit| self.spill_limit = Some(limit));
            }
            "spill_compression" => compression(value).map(|compression| self.spill_compression = compression),
            "retries" => value.parse().ok().map(|retries| self.retries = retries),
            _ => None,
        };
        done.ok_or(expected_of(key))
    }
}

/// The settings of a scope, if there is one: what work takes along that goes on on other threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scoped(Option<Arc<Settings>>);

impl Scoped {
    /// The innermost one on this thread.
    pub(crate) fn here() -> Self {
        SCOPE.with(|scope| scope.borrow().clone())
    }

    /// This one, or another where this is none.
    pub(crate) fn or(self, other: &Self) -> Self {
        if self.0.is_some() { self } else { other.clone() }
    }

    /// Does work inside this scope, or outside all if it is none.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Puts back what held outside, also when `work` panics.
        struct Outside(Scoped);
        impl Drop for Outside {
            fn drop(&mut self) {
                SCOPE.with(|scope| scope.replace(std::mem::take(&mut self.0)));
            }
        }
        let _outside = Outside(SCOPE.with(|scope| scope.replace(self.clone())));
        work()
    }
}

/// What a setting is to be, in words.
fn expected_of(key: &str) -> &'static str {
    match key {
        "threads" => "a whole number from 1",
        "memory_limit" => "an amount of memory such as 2GiB, or a share of the machine's such as 50%",
        "spill_dir" => "a folder that exists",
        "spill_limit" => "an amount of bytes such as 100GiB",
        "spill_compression" => "never, always or auto",
        _ => "a whole number",
    }
}

/// Reads one of the two limits; an error says what is expected.
pub(crate) fn limit_of(key: &'static str, machine: &Machine, value: &str) -> Result<ByteSize, &'static str> {
    let limit = match key {
        "memory_limit" => amount_or_share(machine, value),
        _ => value.parse().ok(),
    };
    limit.ok_or(expected_of(key))
}

/// An amount of memory, or so many hundredths of the machine's; not nothing.
fn amount_or_share(machine: &Machine, value: &str) -> Option<ByteSize> {
    let limit = match value.trim().strip_suffix('%') {
        Some(share) => {
            let share: f64 = share.trim().parse().ok().filter(|share| (0.0..=100.0).contains(share))?;
            ByteSize::from((machine.memory as f64 * share / 100.0) as u64)
        }
        None => value.parse().ok()?,
    };
    (limit.bytes() > 0).then_some(limit)
}

fn compression(value: &str) -> Option<SpillCompression> {
    match value {
        "never" => Some(SpillCompression::Never),
        "always" => Some(SpillCompression::Always),
        "auto" => Some(SpillCompression::Auto),
        _ => None,
    }
}
