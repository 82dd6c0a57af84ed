//! The example `flights`, as a binary that integration tests can find.

use std::process::ExitCode;

fn main() -> ExitCode {
    casty_examples::flights::main_with(std::env::args_os())
}
