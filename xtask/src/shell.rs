//! Calls of other programs: shown before they run, an error when they fail.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// How often a program with a deadline is looked at.
const POLL: Duration = Duration::from_millis(50);

/// The cargo that called us.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A call of cargo in words separated by blanks.
pub(crate) fn cargo_command(words: &str) -> Command {
    let mut command = Command::new(cargo());
    command.args(words.split_whitespace());
    command
}

/// Runs a program with our own output and waits for it.
pub(crate) fn run(command: &mut Command) -> Result {
    println!("   $ {}", shown(command));
    let status =
        command.stdin(Stdio::null()).status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command)).into()) }
}

/// Runs a program that may take no longer than `limit`; it is stopped after that.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result {
    println!("   $ {}", shown(command));
    let start = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).spawn().map_err(|error| format!("{}: {error}", shown(command)))?;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("`{}` ended with {status}", shown(command)).into()),
            None if start.elapsed() > limit => {
                child.kill()?;
                child.wait()?;
                return Err(format!("`{}` took longer than {} s", shown(command), limit.as_secs()).into());
            }
            None => std::thread::sleep(POLL),
        }
    }
}

/// Runs a program, shows the lines of its standard output as they come, and gives each to `see`.
pub(crate) fn each_line(command: &mut Command, mut see: impl FnMut(&str)) -> Result<ExitStatus> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", shown(command)))?;
    let output = child.stdout.take().expect("standard output is piped above");
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("   {line}");
        see(&line);
    }
    Ok(child.wait()?)
}

/// What a program writes to its standard output; its standard error is ours.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let done = done.map_err(|error| format!("{}: {error}", shown(command)))?;
    if !done.status.success() {
        return Err(format!("`{}` ended with {}", shown(command), done.status).into());
    }
    Ok(String::from_utf8(done.stdout)?)
}

/// Whether a program can be called and says yes; nothing is shown.
pub(crate) fn answers(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The words of a call, without the path of the program.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
        assert!(run(&mut Command::new("no-such-program-anywhere")).is_err());
    }

    #[test]
    fn a_program_past_its_limit_is_stopped() {
        let error =
            run_within(Command::new("sleep").arg("600"), Duration::from_millis(10)).unwrap_err().to_string();
        assert!(error.contains("took longer"), "{error}");
        run_within(&mut Command::new("true"), Duration::from_secs(600)).unwrap();
    }

    #[test]
    fn lines_are_seen_before_the_end() {
        let mut lines = Vec::new();
        let status = each_line(Command::new("sh").args(["-c", "echo a; echo b; exit 3"]), |line| {
            lines.push(line.to_owned())
        });
        assert_eq!(status.unwrap().code(), Some(3));
        assert_eq!(lines, ["a", "b"]);
    }

    #[test]
    fn output_is_caught() {
        assert_eq!(output(Command::new("echo").arg("hello")).unwrap(), "hello\n");
        assert!(answers(&mut Command::new("true")));
        assert!(!answers(&mut Command::new("false")));
    }
}
