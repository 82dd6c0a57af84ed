//! What a program sends, answers and stores, as a file: a change of it shows in review.
//!
//! For who runs a cluster through more than one version of a program. A test keeps the file:
//!
//! ```no_run
//! #[test]
//! fn the_contract_is_as_it_was_agreed_on() -> Result<(), casty::contract::ContractError> {
//!     casty::contract::check("casty.contract")
//! }
//! ```
//!
//! It fails where the program says otherwise, and says what has changed and whether that breaks anything; with
//! `CASTY_CONTRACT=write` it writes the file. `casty contract OLD NEW` compares two files.
//!
//! The contract has the actors that the linker put into the program: those of a crate that is not used are not in it.

mod changes;
mod error;
mod parse;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub use self::changes::ContractChange;
pub use self::error::ContractError;
use crate::actor::registration::{Registration, Registry};
use crate::actor::state::Reader;
use crate::base::stable_hash_parts;

/// The environment variable that has [`check`] write the file.
const WRITE: (&str, &str) = ("CASTY_CONTRACT", "write");

/// What a program sends, answers and stores.
///
/// As text it has one line a message and one a field, each with a fingerprint: two programs with the same fingerprint mean
/// the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    actors: BTreeMap<String, ActorContract>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ActorContract {
    /// By wire name and version.
    messages: BTreeMap<(String, u32), MessageContract>,
    state: Option<StateContract>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct MessageContract {
    fingerprint: u64,
    takes: String,
    gives: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StateContract {
    reader: Reader,
    /// The shapes of the fields, spelled out.
    shapes: BTreeMap<String, String>,
    /// The shape of the events, if there are any.
    events: Option<String>,
}

impl Contract {
    /// The contract of the program that runs, without the actors of casty's test kit.
    pub fn of_this_program() -> Result<Self, ContractError> {
        let registry = Registry::load()?;
        let of_casty = |actor: &&Registration| (actor.rust_name)().starts_with("casty::");
        let actors = registry.all().filter(|actor| !of_casty(actor));
        Ok(Self { actors: actors.map(|actor| (actor.name.to_owned(), ActorContract::of(actor))).collect() })
    }

    /// Reads the file at `path`.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ContractError> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| ContractError::File { path: path.to_owned(), source })?;
        text.parse()
    }
}

impl ActorContract {
    fn of(actor: &Registration) -> Self {
        let messages = actor.messages.iter().map(|message| {
            let (takes, gives) = ((message.shape)().to_string(), (message.reply)().to_string());
            let fingerprint = stable_hash_parts(&[takes.as_bytes(), gives.as_bytes()]);
            ((message.name.to_owned(), message.version), MessageContract { fingerprint, takes, gives })
        });
        let state = actor.entity.and_then(|entity| entity.layout()).map(|layout| StateContract {
            reader: layout.reader(),
            shapes: layout.fields.iter().map(|field| (field.name.to_owned(), (field.shape)().to_string())).collect(),
            events: layout.events.map(|events| (events.shape)().to_string()),
        });
        Self { messages: messages.collect(), state }
    }
}

/// Compares the contract of this program with the file at `path`. For tests; relative paths begin at the package.
///
/// With `CASTY_CONTRACT=write` in the environment it writes the file instead.
pub fn check(path: impl AsRef<Path>) -> Result<(), ContractError> {
    let (path, ours) = (path.as_ref(), Contract::of_this_program()?);
    if std::env::var_os(WRITE.0).is_some_and(|value| value == WRITE.1) {
        let written = fs::write(path, ours.to_string());
        return written.map_err(|source| ContractError::File { path: path.to_owned(), source });
    }
    let kept = Contract::read(path)?;
    match kept == ours {
        true => Ok(()),
        false => Err(ContractError::Differs { path: path.to_owned(), changes: kept.changes_to(&ours) }),
    }
}

#[cfg(test)]
mod tests;
