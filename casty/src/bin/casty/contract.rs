//! `casty contract`: what is different in a later contract, and what that breaks.

use std::path::PathBuf;
use std::process::ExitCode;

use casty::contract::{Contract, ContractChange, ContractError};
use clap::Args;

/// Two contracts. A program writes its own: see `casty::contract`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The earlier contract
    old: PathBuf,
    /// The later one
    new: PathBuf,
}

/// Fails if anything breaks.
pub(crate) fn run(options: &Options) -> ExitCode {
    match changes(options) {
        Ok(changes) => {
            changes.iter().for_each(|change| println!("{change}"));
            if changes.is_empty() {
                println!("the contracts are the same");
            }
            ExitCode::from(u8::from(changes.iter().any(|change| change.breaks)))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn changes(options: &Options) -> Result<Vec<ContractChange>, ContractError> {
    Ok(Contract::read(&options.old)?.changes_to(&Contract::read(&options.new)?))
}
