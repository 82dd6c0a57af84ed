//! Why a contract does not hold.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::ContractChange;
use crate::actor::RegistryError;

/// The contract of a program is not what its file says, or there is no way to tell.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ContractError {
    /// The program's actor types contradict each other.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The file cannot be read or written.
    #[error("the contract {path:?} cannot be read or written: {source}; CASTY_CONTRACT=write writes it")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line is none of a contract.
    #[error("line {line} is none of a contract: {text}")]
    Line {
        /// Its number, from 1 on.
        line: usize,
        /// What it says.
        text: String,
    },
    /// The program says otherwise.
    #[error(
        "the program is not what {path:?} says:\n{}\nif that is wanted, CASTY_CONTRACT=write writes it",
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// What is different.
        changes: Vec<ContractChange>,
    },
}

/// A test that returns it is ended with its `Debug`: that is to be read.
impl fmt::Debug for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
