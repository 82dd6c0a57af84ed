//! A contract as text.

use std::fmt;

use super::{Contract, MessageContract, StateContract};

/// The first line of a contract.
const TITLE: &str =
    "# What this program sends, answers and stores. It is written by casty (CASTY_CONTRACT=write), and kept by a test.";

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        for (name, actor) in &self.actors {
            writeln!(f, "\nactor {name}")?;
            for ((name, version), MessageContract { fingerprint, takes, gives }) in &actor.messages {
                writeln!(f, "  message {name} {version} {fingerprint:016x} {takes} -> {gives}")?;
            }
            if let Some(state) = &actor.state {
                write!(f, "{state}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for StateContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reader, shapes, events } = self;
        writeln!(f, "  state {}", reader.shape.version)?;
        for (name, fingerprint) in &reader.shape.fields {
            writeln!(f, "    field {name} {fingerprint:016x} {}", shapes.get(name).map_or("?", String::as_str))?;
        }
        if let Some(fingerprint) = reader.shape.events {
            writeln!(f, "    events {fingerprint:016x} {}", events.as_deref().unwrap_or("?"))?;
        }
        let lines = [
            reader.defaults.iter().map(|name| format!("default {name}")).collect::<Vec<_>>(),
            reader.renamed.iter().map(|(before, now)| format!("renamed {before} {now}")).collect(),
            reader.removed.iter().map(|name| format!("removed {name}")).collect(),
            reader.migrated.iter().map(|from| format!("migrate {from}")).collect(),
            reader.upcast.iter().map(|from| format!("upcast {from}")).collect(),
        ];
        lines.iter().flatten().try_for_each(|line| writeln!(f, "    {line}"))
    }
}
