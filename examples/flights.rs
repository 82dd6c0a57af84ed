//! The main job: real flights through a cluster of processes that loses a node. `--help` tells its options.

use std::process::ExitCode;

fn main() -> ExitCode {
    casty_examples::flights::main_with(std::env::args_os())
}
