//! The meta group's state machine: what the whole cluster agrees on. Every node of the cluster follows it.

mod command;
mod machines;
mod topology;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

pub(crate) use self::command::{Command, Verdict};
pub(crate) use self::machines::MACHINES_MAX;
pub(crate) use self::topology::{Stay, Topology};
use super::names::Names;
use crate::actor::remote::Address;
use crate::base::{BoxError, NodeKey};
use crate::codec::{decode, encode};
use crate::raft::{Machine, MachineSnapshot};
use crate::sharding::{Declaration, ENTITY_TYPES_MAX, Kinds};
use crate::storage::StagedRows;

/// Where a node reads what was agreed on; `None` until it knows its cluster.
pub(super) type Agreed = watch::Sender<Option<Arc<Topology>>>;

/// The replica of one node.
pub(super) struct Meta {
    /// The entity types. The first declaration of a name stands, but that versions of its state are added; the same again
    /// is agreed to; another is a conflict.
    declared: BTreeMap<u32, Declaration>,
    topology: Topology,
    /// Who has which name. Every actor is of a node of the cluster.
    names: BTreeMap<Arc<str>, Address>,
    kinds: Kinds,
    agreed: Arc<Agreed>,
    known: Arc<Names>,
}

/// Names that a cluster gives.
const NAMES_MAX: usize = 1 << 20;

impl Meta {
    /// The beginning of a cluster. What is declared will be told to `kinds`, who has which name to `known`, everything else to
    /// `agreed`.
    pub(super) fn new(topology: Topology, kinds: Kinds, agreed: Arc<Agreed>, known: Arc<Names>) -> Self {
        let meta = Self { declared: BTreeMap::new(), topology, names: BTreeMap::new(), kinds, agreed, known };
        meta.publish();
        meta
    }

    /// Every entity type.
    pub(super) fn declared(&self) -> impl Iterator<Item = &Declaration> {
        self.declared.values()
    }

    pub(super) fn topology(&self) -> &Topology {
        &self.topology
    }

    fn decide(&mut self, command: Command) -> Verdict {
        match command {
            Command::Declare(declaration) => self.declare(declaration),
            // It is about to be admitted, or was removed: the one comes again, the other is told.
            Command::Offer { node, .. } if !self.topology.nodes().contains_key(&node) => Verdict::Again,
            Command::Register { name, address } => self.register(name, address),
            Command::Unregister { name, node, number } => self.unregister(&name, node, number),
            Command::Restarted { node, below } => self.restarted(node, below),
            command => {
                let verdict = self.topology.apply(command);
                if verdict == Verdict::Agreed {
                    self.free_names(|now, address| !now.nodes().contains_key(&address.node));
                    self.publish();
                }
                verdict
            }
        }
    }

    fn declare(&mut self, declaration: Declaration) -> Verdict {
        let full = self.declared.len() >= ENTITY_TYPES_MAX;
        match self.declared.entry(declaration.tag()) {
            Entry::Occupied(there) if there.get().covers(&declaration) => Verdict::Agreed,
            Entry::Occupied(mut there) if declaration.covers(there.get()) => {
                self.kinds.learn([declaration.clone()]);
                there.insert(declaration);
                Verdict::Agreed
            }
            Entry::Occupied(there) => Verdict::Conflict(there.get().clone()),
            Entry::Vacant(_) if full => Verdict::Overtaken,
            Entry::Vacant(place) => {
                self.kinds.learn([declaration.clone()]);
                place.insert(declaration);
                Verdict::Agreed
            }
        }
    }

    fn register(&mut self, name: Arc<str>, address: Address) -> Verdict {
        let id = |node| self.topology.nodes().get(&node).map(|entry| entry.id.clone());
        let full = self.names.len() >= NAMES_MAX;
        match self.names.get(&name) {
            Some(there) if *there == address => Verdict::Agreed,
            Some(there) => id(there.node).map_or(Verdict::Overtaken, |node| Verdict::Taken { node }),
            None if id(address.node).is_none() => Verdict::Again,
            None if full => Verdict::Overtaken,
            None => {
                self.known.set(name.clone(), Some(address.clone()));
                self.names.insert(name, address);
                Verdict::Agreed
            }
        }
    }

    fn unregister(&mut self, name: &Arc<str>, node: NodeKey, number: u64) -> Verdict {
        if self.names.get(name).is_none_or(|there| (there.node, there.number) != (node, number)) {
            return Verdict::Overtaken;
        }
        self.names.remove(name);
        self.known.set(name.clone(), None);
        Verdict::Agreed
    }

    fn restarted(&mut self, node: NodeKey, below: u64) -> Verdict {
        self.free_names(|_, address| address.node == node && address.number < below);
        self.topology.withdraw_all(node, below);
        self.publish();
        Verdict::Agreed
    }

    /// The names of these actors are free.
    fn free_names(&mut self, gone: impl Fn(&Topology, &Address) -> bool) {
        for (name, _) in self.names.extract_if(.., |_, address| gone(&self.topology, address)) {
            self.known.set(name, None);
        }
    }

    fn publish(&self) {
        self.agreed.send_replace(Some(Arc::new(self.topology.clone())));
    }
}

impl Machine for Meta {
    /// Every replica reads the same bytes, so an entry that cannot be read is skipped by all of them alike.
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError> {
        let verdict = decode(command).map(|command| self.decide(command)).unwrap_or_else(|error| {
            tracing::error!(index, %error, "an entry of the meta group cannot be read and changes nothing");
            Verdict::Again
        });
        Ok(encode(&verdict)?.into())
    }

    fn snapshot(&self) -> Result<MachineSnapshot, BoxError> {
        Ok(encode(&(&self.declared, &self.topology, &self.names))?.into())
    }

    fn restore(&mut self, head: &[u8], _: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        (self.declared, self.topology, self.names) = decode(head)?;
        self.known.replace(self.names.iter().map(|(name, address)| (name.clone(), address.clone())));
        self.kinds.learn(self.declared.values().cloned());
        self.publish();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::registration::Registry;
    use crate::actor::state::StateShape;
    use crate::cluster::{Member, Role};
    use crate::node::founding::{Charter, Founder, Terms};
    use crate::sharding::Acknowledge;

    fn meta() -> Meta {
        let founders = vec![Founder { id: "a".into(), incarnation: 1 }];
        let charter = Charter::new(founders, Terms { size: 1, groups: 4, replicas: 3 });
        Meta::new(
            Topology::founded(&charter),
            Kinds::new(Registry::load().unwrap(), Acknowledge::Quorum),
            Arc::default(),
            Arc::default(),
        )
    }

    fn declaration(shards: u32) -> Declaration {
        let (name, actor) = ("account".to_owned(), "bank.Account".to_owned());
        Declaration { name, actor, shards, single: false, store: None, state: state(&[1]) }
    }

    /// These versions of a state.
    fn state(versions: &[u32]) -> Vec<StateShape> {
        let fields = |version: u32| BTreeMap::from([("field".to_owned(), version.into())]);
        versions.iter().map(|&version| StateShape { version, fields: fields(version), events: None }).collect()
    }

    fn apply(meta: &mut Meta, command: &Command) -> Verdict {
        decode(&meta.apply(1, &encode(command).unwrap().into()).unwrap()).unwrap()
    }

    fn declare(meta: &mut Meta, shards: u32) -> Verdict {
        apply(meta, &Command::Declare(declaration(shards)))
    }

    #[test]
    fn the_first_declaration_of_a_name_stands() {
        let mut meta = meta();
        assert_eq!(declare(&mut meta, 100), Verdict::Agreed);
        assert_eq!(declare(&mut meta, 100), Verdict::Agreed);
        assert_eq!(declare(&mut meta, 50), Verdict::Conflict(declaration(100)));
    }

    #[test]
    fn versions_of_a_state_are_added_behind_those_that_are_known() {
        let mut meta = meta();
        let of = |versions: &[u32]| Declaration { state: state(versions), ..declaration(9) };
        let mut declare = |versions: &[u32]| apply(&mut meta, &Command::Declare(of(versions)));
        assert_eq!(declare(&[1]), Verdict::Agreed);
        assert_eq!(declare(&[2]), Verdict::Conflict(of(&[1])));
        assert_eq!(declare(&[]), Verdict::Conflict(of(&[1])), "one without state is another program");
        assert_eq!(declare(&[1, 2]), Verdict::Agreed);
        assert_eq!(declare(&[1]), Verdict::Agreed, "an older program may go on");
        assert_eq!(declare(&[1, 3]), Verdict::Conflict(of(&[1, 2])));
        assert_eq!(meta.kinds.declared(), [of(&[1, 2])]);
    }

    #[test]
    fn a_cluster_that_has_as_many_entity_types_as_it_can_goes_on_with_those() {
        let (mut meta, other) = (meta(), Declaration { name: "one more".to_owned(), ..declaration(9) });
        assert_eq!(declare(&mut meta, 9), Verdict::Agreed);
        for n in 1..ENTITY_TYPES_MAX {
            let declaration = Declaration { name: format!("type-{n}"), ..declaration(9) };
            assert_eq!(apply(&mut meta, &Command::Declare(declaration)), Verdict::Agreed);
        }
        assert_eq!(apply(&mut meta, &Command::Declare(other)), Verdict::Overtaken);
        assert_eq!(declare(&mut meta, 9), Verdict::Agreed, "what is there may be started again");
        let newer = Declaration { state: state(&[1, 2]), ..declaration(9) };
        assert_eq!(
            apply(&mut meta, &Command::Declare(newer)),
            Verdict::Agreed,
            "and have another version of its state"
        );
        assert_eq!(meta.kinds.declared().len(), ENTITY_TYPES_MAX);
    }

    #[test]
    fn a_snapshot_restores_what_was_agreed_on_and_tells_the_node() {
        let mut source = meta();
        declare(&mut source, 100);
        apply(&mut source, &Command::Admit(Member::new("b".into(), 2, "h:1", Role::Observer)));
        let mut copy = meta();
        copy.restore(&source.snapshot().unwrap().head, None).unwrap();
        assert_eq!(copy.kinds.declared(), [declaration(100)]);
        assert_eq!(declare(&mut copy, 50), Verdict::Conflict(declaration(100)));
        assert_eq!(copy.agreed.borrow().as_deref(), Some(&source.topology));
        assert_eq!(source.topology.nodes().len(), 2);
    }

    #[test]
    fn an_entry_that_cannot_be_read_changes_nothing() {
        let mut meta = meta();
        let before = meta.snapshot().unwrap().head;
        assert_eq!(decode::<Verdict>(&meta.apply(1, &Bytes::from_static(&[255; 9])).unwrap()), Ok(Verdict::Again));
        assert_eq!(meta.snapshot().unwrap().head, before);
    }

    fn register(meta: &mut Meta, name: &str, node: &str, number: u64) -> Verdict {
        let node = NodeKey::new(&node.into(), 1);
        apply(meta, &Command::Register { name: name.into(), address: address(node, number) })
    }

    fn address(node: NodeKey, number: u64) -> Address {
        Address { node, number, actor: "bank.Teller".into(), name: None }
    }

    #[test]
    fn what_earlier_processes_of_a_node_had_is_free_when_it_starts_again() {
        let (mut meta, [a, b]) = (meta(), ["a", "b"].map(|id| NodeKey::new(&id.into(), 1)));
        apply(&mut meta, &Command::Admit(Member::new("b".into(), 1, "h:1", Role::Replica)));
        for (name, node, number) in [("old", "a", 9), ("new", "a", 10), ("other", "b", 9)] {
            assert_eq!(register(&mut meta, name, node, number), Verdict::Agreed);
        }
        for (name, node, attempt) in [("old", a, 9), ("new", a, 10), ("other", b, 9)] {
            apply(&mut meta, &Command::Offer { name: name.to_owned(), node, attempt });
        }
        assert_eq!(apply(&mut meta, &Command::Restarted { node: a, below: 10 }), Verdict::Agreed);
        assert_eq!(meta.names.keys().map(|name| &**name).collect::<Vec<_>>(), ["new", "other"]);
        assert_eq!(meta.known.get("old"), None);
        let offered = meta.topology.machines().map(|(_, nodes)| nodes.len()).collect::<Vec<_>>();
        assert_eq!(offered.iter().sum::<usize>(), 2, "those of the earlier process are withdrawn");
    }

    #[test]
    fn a_name_is_one_actors_until_it_gives_it_back_or_its_node_goes() {
        let mut meta = meta();
        let b = Member::new("b".into(), 1, "h:1", Role::Replica);
        apply(&mut meta, &Command::Admit(b.clone()));
        assert_eq!(register(&mut meta, "teller", "b", 3), Verdict::Agreed);
        assert_eq!(register(&mut meta, "teller", "b", 3), Verdict::Agreed, "the same again does no harm");
        assert_eq!(register(&mut meta, "teller", "a", 3), Verdict::Taken { node: "b".into() });
        assert_eq!(register(&mut meta, "other", "stranger", 3), Verdict::Again);
        let free = |number| Command::Unregister { name: "teller".into(), node: b.key, number };
        assert_eq!(apply(&mut meta, &free(2)), Verdict::Overtaken, "another actor's");
        assert_eq!(apply(&mut meta, &free(3)), Verdict::Agreed);
        assert_eq!(register(&mut meta, "teller", "b", 4), Verdict::Agreed);
        let mut copy = self::meta();
        copy.restore(&meta.snapshot().unwrap().head, None).unwrap();
        apply(&mut copy, &Command::Admit(Member::new("b".into(), 2, "h:1", Role::Replica)));
        assert_eq!(
            register(&mut copy, "teller", "a", 1),
            Verdict::Agreed,
            "b's earlier life is gone, and its names with it"
        );
    }
}
