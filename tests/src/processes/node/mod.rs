//! The node program: one casty node that does what the harness tells it, line by line on its standard input.
//!
//! It says on its standard output, in the same way, when it is ready and what came of each order. It ends when its input
//! does, so it does not outlive the harness.

mod broken;
mod life;
mod load;
mod options;
mod orders;
mod probe;
mod protocol;
mod words;

pub use life::run;
pub use options::{Options, Shared};
pub use protocol::{Answer, Numbered, Order, Said, Status};

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use casty::Node;
use casty::base::BoxError;
use clap::Parser;
use futures_util::future::BoxFuture;

/// Starts the entity types that a program has besides those of the harness.
pub type Declare = fn(Arc<Node>) -> BoxFuture<'static, Result<(), BoxError>>;

/// Runs the node program with the arguments of a command line, the program's name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>, declare: Declare) -> ExitCode {
    let options = Options::parse_from(arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(&options, declare)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

/// Many nodes share few cores.
const THREADS: usize = 2;

fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    tracing::error!(error, "the node ends");
    ExitCode::FAILURE
}
