//! Merging file and environment, scopes, and what errors say.

use super::*;

const MACHINE: Machine = Machine { memory: 8 << 30, cores: NonZeroUsize::new(6).expect("six is not zero") };

fn merge(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let file = file.map(|text| (Path::new("/conf/musher.toml"), text));
    Settings::merge(&MACHINE, file, environment.iter().map(|&(name, value)| (name.into(), value.into())))
}

#[track_caller]
fn fails(file: Option<&str>, environment: &[(&str, &str)], said: &str) {
    assert_eq!(merge(file, environment).unwrap_err().to_string(), said);
}

#[test]
fn defaults_come_from_the_machine() {
    let settings = merge(None, &[("PATH", "/bin"), ("HOME", "")]).unwrap();
    assert_eq!(settings.threads.get(), 6);
    assert_eq!(settings.memory_limit.bytes(), (8 << 30) / 5 * 3);
    assert_eq!(settings.spill_dir, std::env::temp_dir());
    assert_eq!((settings.spill_limit, settings.retries), (None, 2));
    assert_eq!(settings.spill_compression, SpillCompression::Auto);
}

#[test]
fn the_environment_overrules_the_file_setting_by_setting() {
    let file = "# ours\nthreads = 2\nmemory_limit = \"25%\"\nspill_dir = \"spill\"\nspill_limit = 0x10\nretries = 0\n\
        spill_compression = \"never\"\n";
    let settings = merge(Some(file), &[]).unwrap();
    assert_eq!(settings.threads.get(), 2);
    assert_eq!(settings.memory_limit.bytes(), 2 << 30);
    assert_eq!(settings.spill_dir, Path::new("/conf/spill"));
    assert_eq!((settings.spill_limit, settings.retries), (Some(ByteSize::from(16)), 0));
    assert_eq!(settings.spill_compression, SpillCompression::Never);

    let settings = merge(
        Some(file),
        &[
            ("MUSHER_THREADS", "3"),
            ("MUSHER_MEMORY_LIMIT", "512MiB"),
            ("MUSHER_SPILL_DIR", "here"),
            ("MUSHER_SPILL_COMPRESSION", "always"),
            ("MUSHER_CONFIG", "/conf/musher.toml"),
        ],
    )
    .unwrap();
    assert_eq!(settings.threads.get(), 3);
    assert_eq!(settings.memory_limit.bytes(), 512 << 20);
    assert_eq!(settings.spill_dir, Path::new("here"));
    assert_eq!(settings.spill_compression, SpillCompression::Always);
    assert_eq!((settings.spill_limit, settings.retries), (Some(ByteSize::from(16)), 0), "the file's");
    let options = settings.spill_options();
    assert_eq!((options.base.as_path(), options.limit), (Path::new("here"), Some(16)));
}

#[test]
fn what_nobody_knows_is_an_error_with_its_place() {
    fails(
        Some("threads = 2\n\nmemry_limit = \"2GiB\"\n"),
        &[],
        "/conf/musher.toml:3: there is no setting `memry_limit`; there are threads, memory_limit, spill_dir, \
         spill_limit, spill_compression, retries",
    );
    fails(
        None,
        &[("MUSHER_MEMORYLIMIT", "2GiB")],
        "environment variable MUSHER_MEMORYLIMIT: there is no setting `MUSHER_MEMORYLIMIT`; there are \
         MUSHER_THREADS, MUSHER_MEMORY_LIMIT, MUSHER_SPILL_DIR, MUSHER_SPILL_LIMIT, MUSHER_SPILL_COMPRESSION, \
         MUSHER_RETRIES, MUSHER_CONFIG",
    );
    assert!(merge(None, &[("MUSHER_threads", "2")]).is_err());
    assert!(merge(Some("[spill]\nlimit = 3"), &[]).is_err());
}

#[test]
fn a_wrong_value_is_an_error_that_says_what_is_expected() {
    fails(
        Some("retries = 1\nthreads = 2.5\n"),
        &[],
        "/conf/musher.toml:2: `threads` cannot be 2.5; expected a whole number from 1",
    );
    fails(
        Some("memory_limit = \"2 apples\""),
        &[],
        "/conf/musher.toml:1: `memory_limit` cannot be \"2 apples\"; expected an amount of memory such as 2GiB, or a \
         share of the machine's such as 50%",
    );
    fails(
        None,
        &[("MUSHER_SPILL_COMPRESSION", "zstd")],
        "environment variable MUSHER_SPILL_COMPRESSION: `spill_compression` cannot be zstd; expected never, always or \
         auto",
    );
    for (variable, values) in [
        ("MUSHER_THREADS", ["0", "-1", "many", ""].as_slice()),
        ("MUSHER_MEMORY_LIMIT", &["0%", "101%", "-5%", "nan%", "0", "%", ""]),
        ("MUSHER_SPILL_LIMIT", &["50%", "lots", ""]),
        ("MUSHER_SPILL_DIR", &[""]),
        ("MUSHER_RETRIES", &["-1", "1.5", ""]),
    ] {
        for value in values {
            let error = merge(None, &[(variable, value)]).unwrap_err();
            assert!(matches!(error, SettingsError::Value { .. }), "{variable}={value}: {error}");
        }
    }
    for wrong in ["threads = true", "retries = [1]", "spill_dir = 3.5", "memory_limit = 1979-05-27"] {
        assert!(matches!(merge(Some(wrong), &[]), Err(SettingsError::Value { .. })), "{wrong}");
    }
}

#[test]
fn a_broken_file_is_an_error_with_its_line() {
    let error = merge(Some("threads = 2\nretries = = 3\n"), &[]).unwrap_err();
    assert!(error.to_string().starts_with("/conf/musher.toml:2: no TOML: "), "{error}");
    let error = merge(Some("threads = 2\nthreads = 3\n"), &[]).unwrap_err();
    assert!(error.to_string().starts_with("/conf/musher.toml:2: "), "{error}");
}

#[test]
fn any_bytes_are_settings_or_an_error() {
    let mut random = musher_testkit::Random::new(11);
    let pieces =
        ["threads", "=", "\n", "\"", "50%", "[", "]", "é", "#", "retries", "7", ".", "{", "}", "\\u", " "];
    for _ in 0..3000 {
        let text: String = (0..random.below(12)).map(|_| pieces[random.below(pieces.len())]).collect();
        if let Err(error) = merge(Some(&text), &[("MUSHER_THREADS", &text)]) {
            assert!(!error.to_string().is_empty());
        }
    }
}

fn retries_here() -> u32 {
    Settings::current().map(|settings| settings.retries).unwrap()
}

fn with_retries(retries: u32) -> Settings {
    Settings { retries, ..Settings::of(&MACHINE) }
}

#[test]
fn scopes_nest_and_end_also_by_a_panic() {
    with_retries(10).scoped(|| {
        assert_eq!(retries_here(), 10);
        assert_eq!(with_retries(11).scoped(retries_here), 11);
        assert_eq!(retries_here(), 10);
        let panicked = std::panic::catch_unwind(|| {
            with_retries(12).scoped(|| {
                assert_eq!(retries_here(), 12);
                panic!("on purpose");
            });
        });
        assert!(panicked.is_err());
        assert_eq!(retries_here(), 10);
        let elsewhere = std::thread::spawn(|| Scoped::here().0.is_none()).join().unwrap();
        assert!(elsewhere, "a scope holds on its thread");
    });
    assert!(Scoped::here().0.is_none());
}
