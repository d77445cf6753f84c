//! Makes the golden files again with the Python originals; the only command that needs Python and a network.

use std::process::Command;

use crate::shell;
use crate::{Result, Workspace};

/// Sets up a virtual environment with the pinned versions (once) and runs every script.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let folder = workspace.root.join("crates/testkit/golden");
    let environment = workspace.target_directory.join("golden-venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    let requirements = folder.join("requirements.txt");
    shell::run(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements),
    )?;
    shell::run(Command::new(&python).arg(folder.join("scripts/make_all.py")))
}
