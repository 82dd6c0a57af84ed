//! The command line tool of casty.

#![expect(clippy::print_stdout, reason = "it is a command line tool")]

mod certs;
mod contract;
mod inspect;
mod recover;
mod sim;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for clusters of casty.
#[derive(Parser)]
#[command(name = "casty", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Simulate whole clusters under faults, each run from a seed of its own
    Sim(sim::Options),
    /// Make a development CA, and certificates for nodes
    Certs(certs::Options),
    /// Compare two contracts: what the programs of a cluster send, answer and store
    Contract(contract::Options),
    /// Show what a node has stored
    Inspect(inspect::Options),
    /// Make a cluster anew, from what is left of one or from backups
    Recover(recover::Options),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Sim(options) => sim::run(&options),
        Command::Certs(options) => certs::run(&options),
        Command::Contract(options) => contract::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Recover(options) => recover::run(&options),
    }
}
