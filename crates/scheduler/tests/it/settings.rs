//! Settings as a process finds them: its working directory and its environment.

use std::fs;
use std::path::Path;

use musher_scheduler::Settings;
use musher_testkit::again;

/// In the child process: say what the settings are.
const CHILD: &str = "SAY_THE_SETTINGS";

/// What a process says that is started in a folder with these variables.
fn said(folder: &Path, variables: &[(&str, &str)]) -> String {
    let name = "settings::a_process_reads_its_file_and_its_environment_once";
    let output =
        again(name).current_dir(folder).env(CHILD, "1").envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("settings: "));
    line.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[test]
fn a_process_reads_its_file_and_its_environment_once() {
    if std::env::var_os(CHILD).is_some() {
        let now = || match Settings::current() {
            Ok(settings) => format!("{} threads, {} retries", settings.threads, settings.retries),
            Err(error) => error.to_string(),
        };
        let first = now();
        fs::write("musher.toml", "threads = 99").unwrap();
        assert_eq!(now(), first);
        println!("settings: {first}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("musher.toml");
    assert!(said(folder.path(), &[]).ends_with("2 retries"), "no file is needed");

    fs::write(&file, "threads = 3\nretries = 4\n").unwrap();
    assert_eq!(said(folder.path(), &[("MUSHER_THREADS", "5")]), "5 threads, 4 retries");

    fs::write(&file, "\nthread = 3\n").unwrap();
    assert!(said(folder.path(), &[]).starts_with("musher.toml:2: there is no setting `thread`"));

    let other = folder.path().join("other.toml");
    fs::write(&other, "threads = 7\nretries = 1\n").unwrap();
    assert_eq!(said(folder.path(), &[("MUSHER_CONFIG", other.to_str().unwrap())]), "7 threads, 1 retries");
    let missing = said(folder.path(), &[("MUSHER_CONFIG", "missing.toml")]);
    assert_eq!(missing, "the settings file missing.toml cannot be read");
    let unknown = said(folder.path(), &[("MUSHER_THREAD", "2")]);
    assert!(unknown.contains("environment variable MUSHER_THREAD: there is no setting"), "{unknown}");
}
