//! Snapshots that a follower is sent: their rows go to where they will be as they come.

use std::io;
use std::sync::{Arc, Weak};

use openraft::raft::SnapshotResponse;
use openraft::storage::Snapshot;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio::time::{Instant, sleep};

use super::machine::SnapshotData;
use super::mesh::{Member, Mesh};
use super::replica::{Received, Saving};
use super::saved;
use super::transfers::RESUME_MAX;
use super::types::{EngineVote, TypeConfig};
use super::wire::{Chunk, Part, Response};
use crate::base::{GroupId, NodeKey, StableMap};
use crate::storage::{RowBatch, StagedRows};

/// The snapshots that are coming in: one for each open group.
#[derive(Default)]
pub(super) struct Assemblies(Mutex<StableMap<GroupId, Arc<Place>>>);

/// Where the snapshot of a group comes together. Chunks take it one by one.
struct Place {
    assembly: AsyncMutex<Option<Assembly>>,
    progress: Mutex<Instant>,
}

/// A snapshot of which some chunks have come.
struct Assembly {
    from: NodeKey,
    transfer: u64,
    vote: EngineVote,
    /// The number of the next chunk.
    next: u64,
    head: Vec<u8>,
    staged: Option<Box<dyn StagedRows>>,
    rows: u64,
    /// What is held in memory.
    bytes: u64,
    /// The rows of the last chunk, on their way to the store.
    writing: Option<Saving>,
    installed: Option<SnapshotResponse<TypeConfig>>,
}

impl Assemblies {
    /// What came of a snapshot for a group is of no use any more.
    pub(super) fn remove(&self, group: GroupId) {
        self.0.lock().remove(&group);
    }

    fn place(self: &Arc<Self>, group: GroupId) -> Arc<Place> {
        let mut places = self.0.lock();
        if let Some(place) = places.get(&group) {
            *place.progress.lock() = Instant::now();
            return place.clone();
        }
        let place = Arc::new(Place { assembly: AsyncMutex::default(), progress: Mutex::new(Instant::now()) });
        places.insert(group, place.clone());
        tokio::spawn(expire(Arc::downgrade(self), group, Arc::downgrade(&place)));
        place
    }
}

/// Lets go of what is not gone on with.
async fn expire(assemblies: Weak<Assemblies>, group: GroupId, place: Weak<Place>) {
    loop {
        sleep(RESUME_MAX).await;
        let Some((assemblies, place)) = assemblies.upgrade().zip(place.upgrade()) else { return };
        if place.progress.lock().elapsed() >= RESUME_MAX {
            let mut places = assemblies.0.lock();
            if places.get(&group).is_some_and(|open| Arc::ptr_eq(open, &place)) {
                places.remove(&group);
            }
            return;
        }
    }
}

impl Mesh {
    /// Takes a chunk; installs the snapshot with the last one. `None`: it cannot be taken, now or ever.
    pub(super) async fn assemble(
        &self,
        from: NodeKey,
        group: GroupId,
        member: &Member,
        chunk: Chunk,
    ) -> Option<Response> {
        if !chunk.is_whole() {
            tracing::warn!(%group, %from, number = chunk.number, "a chunk of a snapshot arrived damaged");
            return Some(Response::Damaged);
        }
        let place = self.assemblies.place(group);
        let mut open = place.assembly.lock().await;
        let newer = |open: &Assembly| open.transfer != chunk.transfer && chunk.vote >= open.vote;
        if chunk.number == 0 && open.as_ref().is_none_or(newer) {
            // A new attempt takes the place of an old one.
            let staged = member.replica.stage().await;
            let staged = staged.map_err(|why| tracing::error!(%group, %why, "a snapshot was not taken")).ok()?;
            *open = Some(Assembly::new(from, &chunk, staged));
        }
        let fits = |open: &&mut Assembly| open.from == from && open.transfer == chunk.transfer;
        let Some(assembly) = open.as_mut().filter(fits) else { return Some(Response::Astray) };
        if chunk.number.checked_add(1) == Some(assembly.next) {
            // The answer was lost.
            return Some(assembly.installed.clone().map_or(Response::Taken, Response::Installed));
        }
        if chunk.number != assembly.next {
            return Some(Response::Astray);
        }
        match assembly.take(chunk, member, self.settings.snapshot_bytes_max).await {
            Ok(response) => Some(response),
            Err(why) => {
                tracing::error!(%group, %from, %why, "a snapshot was not taken");
                *open = None;
                None
            }
        }
    }
}

impl Assembly {
    fn new(from: NodeKey, first: &Chunk, staged: Option<Box<dyn StagedRows>>) -> Self {
        Self {
            from,
            transfer: first.transfer,
            vote: first.vote,
            next: 0,
            head: Vec::new(),
            staged,
            rows: 0,
            bytes: 0,
            writing: None,
            installed: None,
        }
    }

    /// Takes the next chunk.
    async fn take(&mut self, chunk: Chunk, member: &Member, bytes_max: u64) -> io::Result<Response> {
        // No more than one chunk is on its way to the store.
        if let Some(writing) = self.writing.take() {
            saved::done(writing).await?;
        }
        let response = match chunk.part {
            Part::Head(bytes) => {
                self.hold(bytes.len(), bytes_max)?;
                self.head.extend_from_slice(&bytes);
                Response::Taken
            }
            Part::Rows(bytes) => {
                let rows = RowBatch::parse(bytes).map_err(io::Error::other)?;
                self.put(rows, bytes_max)?;
                Response::Taken
            }
            Part::End { head_bytes, rows } => {
                if (head_bytes, rows) != (self.head.len() as u64, self.rows) {
                    return Err(io::Error::other("some of it is missing"));
                }
                let received = Received { head: std::mem::take(&mut self.head).into(), rows: self.staged.take() };
                let snapshot = Snapshot { meta: chunk.meta, snapshot: SnapshotData::Received(received) };
                let installed = member.core.raft.install_full_snapshot(chunk.vote, snapshot).await;
                let installed = installed.map_err(io::Error::other)?;
                self.installed = Some(installed.clone());
                Response::Installed(installed)
            }
        };
        self.next += 1;
        Ok(response)
    }

    fn put(&mut self, rows: RowBatch, bytes_max: u64) -> io::Result<()> {
        self.rows += rows.rows();
        let Some(staged) = &mut self.staged else {
            return Err(io::Error::other("it has rows, and the machine of the group has none"));
        };
        let (tell, writing) = oneshot::channel();
        if staged.in_memory() {
            self.bytes += rows.bytes().len() as u64;
        }
        staged.put(rows, Box::new(move |result| drop(tell.send(result))))?;
        self.writing = Some(writing);
        self.hold(0, bytes_max)
    }

    /// Bytes more are held in memory.
    fn hold(&mut self, bytes: usize, bytes_max: u64) -> io::Result<()> {
        self.bytes += bytes as u64;
        if self.bytes <= bytes_max {
            return Ok(());
        }
        Err(io::Error::other(format!("it takes more than the limit of {bytes_max} bytes")))
    }
}

// Nothing panics half-way through a change.
