//! Random faults on a cluster of real processes under load.

use std::process::ExitCode;

fn main() -> ExitCode {
    casty_tests::chaos::main(std::env::args_os())
}
