//! A contract out of its text.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{ActorContract, Contract, ContractError, MessageContract, StateContract};
use crate::actor::state::{Reader, StateShape};

impl FromStr for Contract {
    type Err = ContractError;

    fn from_str(text: &str) -> Result<Self, ContractError> {
        let mut actors: BTreeMap<String, ActorContract> = BTreeMap::new();
        let mut current = None;
        for (at, line) in (1..).zip(text.lines()) {
            let words = line.trim();
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            let read = match (words.split_once(' '), &current) {
                (Some(("actor", name)), _) => {
                    actors.entry(name.to_owned()).or_default();
                    current = Some(name.to_owned());
                    Some(())
                }
                (Some((kind, rest)), Some(name)) => actors.get_mut(name).and_then(|actor| actor.line(kind, rest)),
                _ => None,
            };
            read.ok_or_else(|| ContractError::Line { line: at, text: line.to_owned() })?;
        }
        Ok(Self { actors })
    }
}

impl ActorContract {
    /// Takes a line in; `None` if it is none.
    fn line(&mut self, kind: &str, rest: &str) -> Option<()> {
        match kind {
            "message" => {
                let (name, rest) = rest.split_once(' ')?;
                let (version, rest) = rest.split_once(' ')?;
                let (fingerprint, rest) = rest.split_once(' ')?;
                let (takes, gives) = rest.split_once(" -> ")?;
                let fingerprint = u64::from_str_radix(fingerprint, 16).ok()?;
                let message = MessageContract { fingerprint, takes: takes.to_owned(), gives: gives.to_owned() };
                self.messages.insert((name.to_owned(), version.parse().ok()?), message);
            }
            "state" => {
                let shape = StateShape { version: rest.parse().ok()?, fields: BTreeMap::new(), events: None };
                let reader = Reader::of(shape);
                self.state = Some(StateContract { reader, shapes: BTreeMap::new(), events: None });
            }
            _ => self.state.as_mut()?.line(kind, rest)?,
        }
        Some(())
    }
}

impl StateContract {
    fn line(&mut self, kind: &str, rest: &str) -> Option<()> {
        let Self { reader, shapes, events } = self;
        match kind {
            "field" => {
                let (name, rest) = rest.split_once(' ')?;
                let (fingerprint, shape) = rest.split_once(' ')?;
                reader.shape.fields.insert(name.to_owned(), u64::from_str_radix(fingerprint, 16).ok()?);
                shapes.insert(name.to_owned(), shape.to_owned());
            }
            "events" => {
                let (fingerprint, shape) = rest.split_once(' ')?;
                reader.shape.events = Some(u64::from_str_radix(fingerprint, 16).ok()?);
                *events = Some(shape.to_owned());
            }
            "default" => drop(reader.defaults.replace(rest.to_owned())),
            "renamed" => {
                let (before, now) = rest.split_once(' ')?;
                reader.renamed.insert(before.to_owned(), now.to_owned());
            }
            "removed" => drop(reader.removed.replace(rest.to_owned())),
            "migrate" => {
                reader.migrated.insert(rest.parse().ok()?);
            }
            "upcast" => {
                reader.upcast.insert(rest.parse().ok()?);
            }
            _ => return None,
        }
        Some(())
    }
}
