//! The node program of the harness for real processes.

use std::process::ExitCode;

fn main() -> ExitCode {
    casty_tests::processes::node::main(std::env::args_os())
}
