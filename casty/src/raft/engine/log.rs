//! A [`LogStore`] as the consensus library's log.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use bytes::Bytes;
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use openraft::{EntryPayload, Membership, OptionalSend};
use tokio::sync::Semaphore;

use super::types::{
    Command, EngineVote, Entry, LogId, SnapshotMeta, TypeConfig, engine_vote, log_id, position, stored_vote,
};
use crate::base::NodeKey;
use crate::codec;
use crate::storage::{LogEntry, LogPosition, LogStore, Payload, StoredSnapshot, durably};

/// The most bytes of entries in one message, but for one entry that is larger by itself.
const APPEND_BYTES_MAX: u64 = 1 << 20;
/// The most bytes of entries of a group that wait for a slow store. The group's core waits when it is reached.
const UNFLUSHED_BYTES_MAX: u32 = 64 << 20;

#[derive(Clone)]
pub(super) struct LogAdapter {
    store: Arc<dyn LogStore>,
    unflushed: Arc<Semaphore>,
}

impl LogAdapter {
    pub(super) fn new(store: Arc<dyn LogStore>) -> Self {
        Self { store, unflushed: Arc::new(Semaphore::new(UNFLUSHED_BYTES_MAX as usize)) }
    }
}

/// Writes the first entry of a group, the same on every voter, into a log that has nothing yet: so each of them can be
/// elected, whichever of them live to see it.
pub(super) async fn begin(store: &dyn LogStore, voters: &[NodeKey]) -> io::Result<()> {
    if store.bounds()?.last.is_some() || store.vote()?.is_some() {
        return Ok(());
    }
    let entry = LogEntry { at: LogPosition::default(), payload: members(voters)? };
    durably(|done| store.append(vec![entry], done)).await
}

/// Makes a node the only voter of a group whose log came from elsewhere, or is empty: all that is in it counts, and
/// `commands` follow.
pub(crate) async fn take_over(store: &dyn LogStore, voter: NodeKey, commands: Vec<Bytes>) -> io::Result<()> {
    let bounds = store.bounds()?;
    let last = bounds.last.or(bounds.purged);
    let (term, first) = last.map_or((0, 0), |last| (last.term, last.index + 1));
    let payloads = [members(&[voter])?].into_iter().chain(commands.into_iter().map(Payload::Command));
    let entries = (first..).zip(payloads).map(|(index, payload)| LogEntry { at: LogPosition { term, index }, payload });
    durably(|done| store.append(entries.collect(), done)).await
}

fn members(voters: &[NodeKey]) -> io::Result<Payload> {
    let voters: BTreeSet<u64> = voters.iter().map(|voter| voter.0).collect();
    let membership = Membership::<u64, ()>::new_with_defaults(vec![voters], []);
    Ok(Payload::Membership(codec::encode(&membership).map_err(io::Error::other)?.into()))
}

/// The sets of voters of which each must have a majority, as a log, or the snapshot before it, has them last.
pub(crate) fn stored_voters(
    entries: &[LogEntry],
    snapshot: Option<&StoredSnapshot>,
) -> io::Result<Vec<BTreeSet<NodeKey>>> {
    let of_entry = |entry: &LogEntry| match &entry.payload {
        Payload::Membership(bytes) => Some(codec::decode::<Membership<u64, ()>>(bytes)),
        Payload::Blank | Payload::Command(_) => None,
    };
    let membership = match (entries.iter().rev().find_map(of_entry), snapshot) {
        (Some(membership), _) => membership.map_err(io::Error::other)?,
        (None, Some(snapshot)) => {
            let meta: SnapshotMeta = codec::decode(&snapshot.meta).map_err(io::Error::other)?;
            meta.last_membership.membership().clone()
        }
        (None, None) => return Ok(Vec::new()),
    };
    let keys = |voters: &BTreeSet<u64>| voters.iter().copied().map(NodeKey).collect();
    Ok(membership.get_joint_config().iter().map(keys).collect())
}

impl RaftLogReader<TypeConfig> for LogAdapter {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> io::Result<Vec<Entry>>
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let start = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(index) => index + 1,
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        self.store.read(start..end, u64::MAX)?.into_iter().map(library_entry).collect()
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        self.store.read(start..end, APPEND_BYTES_MAX)?.into_iter().map(library_entry).collect()
    }

    async fn read_vote(&mut self) -> io::Result<Option<EngineVote>> {
        Ok(self.store.vote()?.map(engine_vote))
    }
}

impl RaftLogStorage<TypeConfig> for LogAdapter {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> io::Result<LogState<TypeConfig>> {
        let bounds = self.store.bounds()?;
        Ok(LogState { last_purged_log_id: bounds.purged.map(log_id), last_log_id: bounds.last.map(log_id) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &EngineVote) -> io::Result<()> {
        durably(|done| self.store.save_vote(stored_vote(vote), done)).await
    }

    async fn append<I>(&mut self, entries: I, done: IOFlushed<TypeConfig>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries = entries.into_iter().map(stored_entry).collect::<io::Result<Vec<_>>>()?;
        let bytes = entries.iter().map(LogEntry::bytes).sum::<u64>().min(u64::from(UNFLUSHED_BYTES_MAX)) as u32;
        let place = self.unflushed.clone().acquire_many_owned(bytes).await.map_err(io::Error::other)?;
        self.store.append(
            entries,
            Box::new(move |result| {
                drop(place);
                done.io_completed(result);
            }),
        )
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> io::Result<()> {
        self.store.truncate_after(last.map(|last| last.index))
    }

    async fn purge(&mut self, through: LogId) -> io::Result<()> {
        self.store.purge(position(&through))
    }
}

fn stored_entry(entry: Entry) -> io::Result<LogEntry> {
    let at = position(&entry.log_id);
    let payload = match entry.payload {
        EntryPayload::Blank => Payload::Blank,
        EntryPayload::Normal(Command(bytes)) => Payload::Command(bytes),
        EntryPayload::Membership(members) => {
            Payload::Membership(codec::encode(&members).map_err(io::Error::other)?.into())
        }
    };
    Ok(LogEntry { at, payload })
}

fn library_entry(entry: LogEntry) -> io::Result<Entry> {
    let payload = match entry.payload {
        Payload::Blank => EntryPayload::Blank,
        Payload::Command(bytes) => EntryPayload::Normal(Command(bytes)),
        Payload::Membership(bytes) => EntryPayload::Membership(codec::decode(&bytes).map_err(io::Error::other)?),
    };
    Ok(Entry::new(log_id(entry.at), payload))
}
