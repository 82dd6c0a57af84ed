//! Looking into what a node has stored, while it does not run.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::life::Life;
use super::meta::{Meta, Topology};
use super::recovery::RecoverError;
use crate::actor::registration::Registry;
use crate::base::{BoxError, GroupId, NodeId};
use crate::raft::Machine;
use crate::replication::{LookedInto, look_into};
use crate::sharding::{Acknowledge, Kinds};
use crate::storage::{Payload, Salvage, StoredGroup};

/// What a node has stored. Its `Display` is a report for people.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The file.
    pub file: PathBuf,
    /// The node.
    pub node: NodeId,
    /// The name of its cluster.
    pub cluster: String,
    /// The nodes of the cluster, as this one has it.
    pub nodes: Vec<NodeId>,
    /// The entity types of the cluster, and the actors behind them.
    pub entity_types: BTreeMap<String, String>,
    /// The groups of which it holds a replica.
    pub groups: Vec<InspectedGroup>,
}

/// What a node has stored of a group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InspectedGroup {
    /// The group.
    pub group: GroupId,
    /// The indexes of the first and the last entry in the log. What is not known to be committed is among them.
    pub log: Option<(u64, u64)>,
    /// The term of the last vote.
    pub term: Option<u64>,
    /// The index of the last entry that the snapshot comprises.
    pub snapshot: Option<u64>,
    /// The entities, as the snapshot has them; what later entries change is not among it.
    pub entities: Vec<InspectedEntity>,
}

/// What a node has stored of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InspectedEntity {
    /// The entity type; its number on the wire, if the cluster does not know it.
    pub entity_type: String,
    /// The entity.
    pub id: String,
    /// How many records have changed it.
    pub version: u64,
    /// The bytes of its state.
    pub bytes: usize,
}

/// Looks into the folder of a node that does not run, or into a [backup](super::Node::backup): all of it, so that whatever is
/// damaged is found. It is what `casty inspect` does.
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection, RecoverError> {
    let salvage = Salvage::open(path.as_ref())?;
    let meta = salvage.group(GroupId::META)?;
    let known = known(&salvage, &meta).map_err(std::io::Error::other)?;
    let name = |tag: u32| known.types.get(&tag).map_or_else(|| format!("{tag:08x}"), |(name, _)| name.clone());
    let mut groups = Vec::new();
    for group in salvage.groups()? {
        let StoredGroup { log, snapshot } = salvage.group(group)?;
        let mut found = BTreeMap::<_, (u64, usize)>::new();
        salvage.each_row(group, |key, row| {
            let Some(LookedInto { entity_type, id, version, bytes }) = look_into(key, row) else { return };
            let entity = found.entry((entity_type, id.to_owned())).or_default();
            entity.0 = version.unwrap_or(entity.0);
            entity.1 += bytes;
        })?;
        let entity = |((entity_type, id), (version, bytes))| InspectedEntity {
            entity_type: name(entity_type),
            id,
            version,
            bytes,
        };
        let entities = found.into_iter().map(entity).collect();
        groups.push(InspectedGroup {
            group,
            log: log.entries.first().zip(log.entries.last()).map(|(first, last)| (first.at.index, last.at.index)),
            term: log.vote.map(|vote| vote.term),
            snapshot: snapshot.map(|snapshot| snapshot.through.index),
            entities,
        });
    }
    let identity = salvage.identity().clone();
    Ok(Inspection {
        file: salvage.file().to_owned(),
        node: identity.node,
        cluster: identity.cluster,
        nodes: known.nodes,
        entity_types: known.types.into_values().collect(),
        groups,
    })
}

/// What a node knows of its cluster.
#[derive(Default)]
struct Known {
    nodes: Vec<NodeId>,
    /// The name and the actor of each entity type, by its number on the wire.
    types: BTreeMap<u32, (String, String)>,
}

/// Has the meta group's machine go through what is stored of it.
fn known(salvage: &Salvage, stored: &StoredGroup) -> Result<Known, BoxError> {
    let Some((_, charter)) = salvage.record()?.map(|record| Life::stored(&record)).transpose()?.flatten() else {
        return Ok(Known::default());
    };
    let kinds = Kinds::new(Registry::load()?, Acknowledge::Quorum);
    let mut meta = Meta::new(Topology::founded(&charter), kinds, Arc::default(), Arc::default());
    let mut applied = None;
    if let Some(snapshot) = &stored.snapshot {
        meta.restore(&snapshot.head, None)?;
        applied = Some(snapshot.through.index);
    }
    for entry in stored.log.entries.iter().filter(|entry| Some(entry.at.index) > applied) {
        if let Payload::Command(command) = &entry.payload {
            meta.apply(entry.at.index, command)?;
        }
    }
    let types = meta.declared().map(|declared| (declared.tag(), (declared.name.clone(), declared.actor.clone())));
    Ok(Known {
        nodes: meta.topology().nodes().values().map(|entry| entry.id.clone()).collect(),
        types: types.collect(),
    })
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, node, cluster, nodes, entity_types, groups } = self;
        writeln!(f, "{}: {node} of the cluster {cluster:?}", file.display())?;
        let nodes: Vec<_> = nodes.iter().map(NodeId::as_str).collect();
        writeln!(f, "  nodes: {}", nodes.join(", "))?;
        for (name, actor) in entity_types {
            writeln!(f, "  entity type {name:?}: the actor {actor}")?;
        }
        groups.iter().try_for_each(|group| writeln!(f, "  {group}"))
    }
}

impl fmt::Display for InspectedGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, log, term, snapshot, entities } = self;
        write!(f, "group {group}: ")?;
        match log {
            Some((first, last)) => write!(f, "entries {first} to {last}")?,
            None => write!(f, "no entries")?,
        }
        if let Some(term) = term {
            write!(f, ", voted in term {term}")?;
        }
        if let Some(snapshot) = snapshot {
            let bytes: usize = entities.iter().map(|entity| entity.bytes).sum();
            write!(f, ", snapshot up to {snapshot} with {} entities of {bytes} bytes", entities.len())?;
        }
        Ok(())
    }
}

impl fmt::Display for InspectedEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entity_type, id, version, bytes } = self;
        write!(f, "{entity_type}/{id}: {bytes} bytes after {version} changes")
    }
}
