//! What is different in a later contract, and what that breaks.

use std::fmt;

use super::{ActorContract, Contract, StateContract};

/// A difference between two contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractChange {
    /// The wire name of the actor.
    pub actor: String,
    /// What has changed.
    pub what: String,
    /// Whether programs of both contracts cannot work in one cluster, or the later one not with what the earlier stored.
    pub breaks: bool,
}

impl fmt::Display for ContractChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, what, breaks } = self;
        write!(f, "{} {actor}: {what}", if *breaks { "breaks" } else { "fits  " })
    }
}

impl Contract {
    /// What is different in a `later` contract.
    pub fn changes_to(&self, later: &Self) -> Vec<ContractChange> {
        let mut changes = Vec::new();
        for (name, before) in &self.actors {
            let mut add = |what: String, breaks| changes.push(ContractChange { actor: name.clone(), what, breaks });
            match later.actors.get(name) {
                None => add("is gone".to_owned(), true),
                Some(now) => before.changes_to(now, &mut add),
            }
        }
        let new = later.actors.keys().filter(|name| !self.actors.contains_key(*name));
        changes.extend(new.map(|name| ContractChange {
            actor: name.clone(),
            what: "is new".to_owned(),
            breaks: false,
        }));
        changes
    }
}

impl ActorContract {
    fn changes_to(&self, later: &Self, add: &mut impl FnMut(String, bool)) {
        for (key @ (name, version), before) in &self.messages {
            match later.messages.get(key) {
                None => add(format!("handles `{name}` of version {version} no more"), true),
                Some(now) if now != before => {
                    let what = format!(
                        "`{name}` of version {version} was `{} -> {}` and is `{} -> {}`: raise its version",
                        before.takes, before.gives, now.takes, now.gives
                    );
                    add(what, true);
                }
                Some(_) => {}
            }
        }
        for (name, version) in later.messages.keys().filter(|key| !self.messages.contains_key(*key)) {
            add(format!("handles `{name}` of version {version} now"), false);
        }
        match (&self.state, &later.state) {
            (None, None) => {}
            (None, Some(_)) => add("has state now".to_owned(), false),
            (Some(_), None) => add("has no state any more".to_owned(), true),
            (Some(before), Some(now)) => before.changes_to(now, add),
        }
    }
}

impl StateContract {
    fn changes_to(&self, later: &Self, add: &mut impl FnMut(String, bool)) {
        let (before, now) = (&self.reader.shape, &later.reader.shape);
        match later.reader.stands(std::slice::from_ref(before)) {
            Err(why) => add(format!("its state: {why}"), true),
            Ok(_) if before.version != now.version => {
                add(format!("its state goes from version {} to {}", before.version, now.version), false);
            }
            Ok(_) if self != later => add("it says something else of earlier versions of its state".to_owned(), false),
            Ok(_) => {}
        }
    }
}
