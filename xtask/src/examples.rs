//! Builds and runs the programs of `examples/`: an example that does not run teaches nothing.
//!
//! Each runs without arguments, unless its head says otherwise:
//! `//! CI: --size 2000` gives it these arguments, `//! CI: skip` builds it only.

use std::process::Command;
use std::time::Duration;

use crate::shell::{self, cargo_command};
use crate::{Result, Workspace};

/// No example takes longer than this on two cores in the dev profile.
const LIMIT: Duration = Duration::from_secs(300);

/// Builds all examples and runs all that do not ask to be left out, from the root of the workspace.
pub(crate) fn run(workspace: &Workspace) -> Result {
    shell::run(&mut cargo_command("build --locked --examples"))?;
    for target in workspace.package("musher")?.targets.iter().filter(|target| target.kind == "example") {
        let source = std::fs::read_to_string(&target.source)?;
        let Some(arguments) = arguments(&source) else {
            println!("   {} is built only", target.name);
            continue;
        };
        let program = workspace.target_directory.join("debug/examples").join(&target.name);
        shell::run_within(Command::new(program).args(arguments).current_dir(&workspace.root), LIMIT)?;
    }
    Ok(())
}

/// The arguments for the example in CI; `None` when it is not to be run there.
fn arguments(source: &str) -> Option<Vec<String>> {
    let head = source.lines().take_while(|line| line.starts_with("//!"));
    let wish = head.filter_map(|line| line.strip_prefix("//! CI:")).next().unwrap_or_default().trim();
    match wish {
        "skip" => None,
        _ => Some(wish.split_whitespace().map(str::to_owned).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_example_may_ask() {
        assert_eq!(arguments("//! Shows.\nfn main() {}"), Some(vec![]));
        assert_eq!(
            arguments("//! Shows.\n//! CI: --size 20\nfn main() {}"),
            Some(vec!["--size".into(), "20".into()])
        );
        assert_eq!(arguments("//! CI: skip\n"), None);
        assert_eq!(arguments("fn main() {}\n//! CI: skip\n"), Some(vec![]));
    }
}
