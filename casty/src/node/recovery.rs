//! Making a cluster anew, from what is left of one or from backups.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::spawn_blocking;

use super::founding::Charter;
use super::life::Life;
use super::meta::Command;
use crate::base::{GroupId, NodeId, NodeKey};
use crate::codec::encode;
use crate::raft::{stored_voters, take_over};
use crate::storage::{DiskStores, Identity, LogPosition, Salvage, StoreError, StoredGroup, Stores};

/// What a cluster that was made anew has of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The node that it has, for which the folder is.
    pub node: NodeId,
    /// Its name.
    pub cluster: String,
    /// Its groups.
    pub groups: Vec<RecoveredGroup>,
}

/// What is left of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredGroup {
    /// The group.
    pub group: GroupId,
    /// The file with the longest log, and the term and the index of its last entry; `None` if no file has the group, which
    /// begins empty.
    pub from: Option<(PathBuf, u64, u64)>,
    /// The replicas that were found.
    pub found: usize,
    /// The replicas that there were, as the longest log has it.
    pub replicas: usize,
    /// A majority of them was found, of which each had been synced: nothing is missing that was answered before the nodes
    /// stopped, or before the first copy was begun.
    pub complete: bool,
}

/// A cluster could not be made anew. Nothing was changed but, at most, the new folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// A file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is of no member of a cluster.
    #[error("{} belongs to no cluster: its node was never a member, or has left", .file.display())]
    NoMember {
        /// The file.
        file: PathBuf,
    },
    /// Files belong to different clusters.
    #[error("{} and {} belong to different clusters", .first.display(), .second.display())]
    Different {
        /// A file.
        first: PathBuf,
        /// A file of another cluster.
        second: PathBuf,
    },
    /// No file has the group that knows about the others.
    #[error("none of the files has the meta group, which says what the cluster consists of: give those of more nodes")]
    NoMeta,
    /// What is in a file makes no sense, or the new folder cannot be written.
    #[error("the cluster cannot be made anew: {0}")]
    Io(#[from] io::Error),
}

/// Makes a cluster of one node in the folder `into`, with all that is left of another one in the folders of its nodes, or
/// in [backups](super::Node::backup) of them. Nodes that are started with empty folders join it.
///
/// Of each group the longest log counts, whether or not a majority had it: if a majority of the replicas is there, that is
/// all that was ever answered, and if not, the end may be missing. The files stay as they are. **The nodes of the other cluster must not
/// run on:** there would be two of it, each with a life of its own.
///
/// It is what `casty recover` does.
pub async fn recover(
    from: impl IntoIterator<Item = PathBuf>,
    into: impl AsRef<Path>,
) -> Result<Recovery, RecoverError> {
    let (from, into): (Vec<_>, _) = (from.into_iter().collect(), into.as_ref().to_owned());
    let to = into.clone();
    let gathered = spawn_blocking(move || gather(&from, &to)).await.map_err(io::Error::other)??;
    let Gathered { identity, key, record, charter, recovery } = gathered;
    let opened = {
        let identity = identity.clone();
        spawn_blocking(move || DiskStores::open(into, &identity)).await
    };
    let stores = opened.map_err(io::Error::other)??;
    let (incarnation, charter) = (key.incarnation, anew(charter));
    let recovered = Command::Recovered { id: identity.node.clone(), incarnation };
    let recovered = encode(&recovered).map_err(io::Error::other)?;
    for RecoveredGroup { group, .. } in &recovery.groups {
        let commands = if *group == GroupId::META { vec![recovered.clone().into()] } else { Vec::new() };
        take_over(&*stores.log(*group)?, key.key, commands).await?;
    }
    Life::transplant(&stores, &record, charter).await?;
    stores.close().await;
    Ok(recovery)
}

/// Another cluster than that of this charter, with the same groups.
fn anew(charter: Charter) -> Charter {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u32);
    Charter { attempt: charter.attempt.wrapping_add(now | 1), ..charter }
}

struct Gathered {
    identity: Identity,
    key: Part,
    record: bytes::Bytes,
    charter: Charter,
    recovery: Recovery,
}

/// A node of the cluster, and its life.
#[derive(Clone, Copy)]
struct Part {
    key: NodeKey,
    incarnation: u64,
}

/// A file, and the node that wrote it.
struct Source {
    salvage: Salvage,
    part: Part,
    record: bytes::Bytes,
    charter: Charter,
}

/// Looks into all files, and copies the best of each group.
fn gather(from: &[PathBuf], into: &Path) -> Result<Gathered, RecoverError> {
    let sources = from.iter().map(|path| Source::open(path)).collect::<Result<Vec<_>, _>>()?;
    let first = sources.first().ok_or(RecoverError::NoMeta)?;
    let different = |source: &&Source| source.charter != first.charter;
    if let Some(other) = sources.iter().find(different) {
        let (first, second) = (first.salvage.file().to_owned(), other.salvage.file().to_owned());
        return Err(RecoverError::Different { first, second });
    }
    let mut groups: BTreeSet<GroupId> = (0..=first.charter.groups).map(GroupId).collect();
    for source in &sources {
        groups.extend(source.salvage.groups()?);
    }
    let (mut recovered, mut best, mut held) = (Vec::new(), Vec::new(), BTreeMap::<NodeKey, usize>::new());
    for group in groups {
        let (source, told) = recovered_group(group, &sources)?;
        if let Some(source) = source {
            *held.entry(source.part.key).or_default() += 1;
            best.push((group, &source.salvage));
        }
        recovered.push(told);
    }
    if recovered.first().is_none_or(|meta| meta.from.is_none()) {
        return Err(RecoverError::NoMeta);
    }
    // Whoever has most: it is likely a node that held replicas.
    let holds = |source: &&Source| held.get(&source.part.key).copied().unwrap_or_default();
    let heir = sources.iter().max_by_key(holds).ok_or(RecoverError::NoMeta)?;
    let identity = heir.salvage.identity().clone();
    Salvage::gather(into, &identity, best)?;
    let recovery = Recovery { node: identity.node.clone(), cluster: identity.cluster.clone(), groups: recovered };
    Ok(Gathered { identity, key: heir.part, record: heir.record.clone(), charter: heir.charter.clone(), recovery })
}

/// The file with the longest log of a group.
fn recovered_group(group: GroupId, sources: &[Source]) -> Result<(Option<&Source>, RecoveredGroup), RecoverError> {
    let (mut there, mut forgotten) = (Vec::<(&Source, StoredGroup, LogPosition)>::new(), None);
    for source in sources {
        let stored = source.salvage.group(group)?;
        forgotten = forgotten.max(stored.log.forgotten);
        if let Some(last) = stored.last() {
            there.push((source, stored, last));
        }
    }
    let found: BTreeSet<_> = there.iter().map(|(source, ..)| source.part.key).collect();
    let synced = there.iter().filter(|(source, ..)| source.salvage.is_synced()).map(|(source, ..)| source.part.key);
    let synced: BTreeSet<_> = synced.collect();
    // As in an election: the later term, and then the longer log (Raft, 5.4.1).
    let longest = there.into_iter().max_by_key(|(.., last)| (last.term, last.index));
    let Some((source, stored, last)) = longest else {
        return Ok((None, RecoveredGroup { group, from: None, found: 0, replicas: 0, complete: false }));
    };
    let voters = stored_voters(&stored.log.entries, stored.snapshot.as_ref())?;
    let all: BTreeSet<_> = voters.iter().flatten().copied().collect();
    let majority = |voters: &BTreeSet<NodeKey>| 2 * voters.intersection(&synced).count() > voters.len();
    let told = RecoveredGroup {
        group,
        from: Some((source.salvage.file().to_owned(), last.term, last.index)),
        found: all.intersection(&found).count(),
        replicas: all.len(),
        // Not if one of them had more before it dropped its log, and came back.
        complete: !voters.is_empty() && voters.iter().all(majority) && Some(last) >= forgotten,
    };
    Ok((Some(source), told))
}

impl Source {
    fn open(path: &Path) -> Result<Self, RecoverError> {
        let salvage = Salvage::open(path)?;
        let none = || RecoverError::NoMember { file: salvage.file().to_owned() };
        let record = salvage.record()?.ok_or_else(none)?;
        let (incarnation, charter) = Life::stored(&record)?.ok_or_else(none)?;
        let key = NodeKey::new(&salvage.identity().node, incarnation);
        Ok(Self { part: Part { key, incarnation }, record, charter, salvage })
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the cluster {:?}, made anew, of {} alone:", self.cluster, self.node)?;
        self.groups.iter().try_for_each(|group| writeln!(f, "  {group}"))
    }
}

impl fmt::Display for RecoveredGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, from, found, replicas, complete } = self;
        let Some((file, term, index)) = from else {
            return write!(f, "group {group}: in no file; it begins empty, and WHAT IT HELD IS LOST");
        };
        write!(f, "group {group}: up to entry {index} of term {term}, of {}; ", file.display())?;
        write!(f, "{found} of {replicas} replicas were found, ")?;
        match complete {
            true => write!(f, "so all is there that was answered"),
            false => write!(f, "so WHAT WAS ANSWERED LAST MAY BE LOST"),
        }
    }
}
