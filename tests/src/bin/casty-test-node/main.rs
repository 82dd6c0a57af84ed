//! The node program of the harness for real processes.

mod meter;

use std::process::ExitCode;

use casty_tests::processes::node;
use meter::Meter;

fn main() -> ExitCode {
    node::main(std::env::args_os(), |node| {
        Box::pin(async move { Ok(node.sharded::<Meter>("meter").start().await.map(drop)?) })
    })
}
