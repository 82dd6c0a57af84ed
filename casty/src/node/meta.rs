//! The meta group's state machine: what the whole cluster agrees on.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;

use super::control::Verdict;
use crate::base::BoxError;
use crate::codec::{decode, encode};
use crate::raft::Machine;
use crate::sharding::{Declaration, Kinds};

/// The entity types. The first declaration of a name stands; the same again is agreed to; another is a conflict.
pub(super) struct Meta {
    declared: BTreeMap<u32, Declaration>,
    kinds: Kinds,
}

impl Meta {
    /// Nothing is declared. What will be is told to `kinds`.
    pub(super) fn new(kinds: Kinds) -> Self {
        Self { declared: BTreeMap::new(), kinds }
    }

    fn declare(&mut self, declaration: Declaration) -> Verdict {
        match self.declared.entry(declaration.tag()) {
            Entry::Occupied(there) if *there.get() == declaration => Verdict::Agreed,
            Entry::Occupied(there) => Verdict::Conflict(there.get().clone()),
            Entry::Vacant(place) => {
                self.kinds.learn([declaration.clone()]);
                place.insert(declaration);
                Verdict::Agreed
            }
        }
    }
}

impl Machine for Meta {
    /// Every replica reads the same bytes, so an entry that cannot be read is skipped by all of them alike.
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError> {
        let verdict = decode(command).map(|declaration| self.declare(declaration)).unwrap_or_else(|error| {
            tracing::error!(index, %error, "an entry of the meta group cannot be read and changes nothing");
            Verdict::Again
        });
        Ok(encode(&verdict)?.into())
    }

    fn snapshot(&self) -> Result<Bytes, BoxError> {
        Ok(encode(&self.declared)?.into())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
        self.declared = decode(snapshot)?;
        self.kinds.learn(self.declared.values().cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::registration::Registry;

    fn meta() -> Meta {
        Meta::new(Kinds::new(Registry::load().unwrap()))
    }

    fn declaration(shards: u32) -> Declaration {
        Declaration { name: "account".into(), actor: "bank.Account".into(), shards }
    }

    fn apply(meta: &mut Meta, declaration: &Declaration) -> Verdict {
        decode(&meta.apply(1, &encode(declaration).unwrap().into()).unwrap()).unwrap()
    }

    #[test]
    fn the_first_declaration_of_a_name_stands() {
        let mut meta = meta();
        assert_eq!(apply(&mut meta, &declaration(100)), Verdict::Agreed);
        assert_eq!(apply(&mut meta, &declaration(100)), Verdict::Agreed);
        assert_eq!(apply(&mut meta, &declaration(50)), Verdict::Conflict(declaration(100)));
    }

    #[test]
    fn a_snapshot_restores_the_declarations_and_tells_the_regions() {
        let mut source = meta();
        apply(&mut source, &declaration(100));
        let mut copy = meta();
        copy.restore(&source.snapshot().unwrap()).unwrap();
        assert_eq!(copy.kinds.declared(), [declaration(100)]);
        assert_eq!(apply(&mut copy, &declaration(50)), Verdict::Conflict(declaration(100)));
    }
}
