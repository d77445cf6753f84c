//! Automation of the workspace, one binary for all of it: the gate that every change passes (`ci`), the rules that no
//! compiler checks (`tidy`), benchmarks with kept records (`bench`), and the golden files made again (`golden`).
//!
//! It is called as `cargo xtask <command>`; the alias stands in `.cargo/config.toml`.

mod workspace;

mod bench;
mod ci;
mod golden;
mod tidy;

mod examples;
mod once;
mod shell;

use std::error::Error;
use std::process::ExitCode;

use workspace::Workspace;

/// What a command gives back: errors here are read by a person and end the program, so any error will do.
type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const HELP: &str = "\
cargo xtask ci [step ...]         everything that must hold before a change is taken; steps by name run alone
cargo xtask tidy                  the rules of the house that no compiler checks
cargo xtask bench [options] [filter]
    --bench <name>                one bench only, built with what it needs; may be repeated
    --quick                       criterion's quick mode
    --readme                      run nothing: write what the records show into README.md
    --peers                       then run the peers' scripts with musher among them
    --peers-only                  run only the peers' scripts
    --peers-dir <folder>          where the scripts are (default: the variable BENCH_PEERS)
    --group <script>              one script only, without .py; may be repeated
    --peer <name>                 one peer only; may be repeated
    --size <small|medium|large>   size of the workloads of peers and of `limits` (default: small)
    --rounds <n>                  rounds of the peers' workloads (default: 3)
cargo xtask golden                make the golden files again in a Python virtual environment";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match run(&command, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, rest: &[String]) -> Result {
    match command {
        "ci" => ci::run(&Workspace::load()?, rest),
        "tidy" => tidy::run(&Workspace::load()?),
        "bench" => bench::run(&Workspace::load()?, rest),
        "golden" => golden::run(&Workspace::load()?),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("unknown command `{command}`\n\n{HELP}").into()),
    }
}
