//! Snapshots that a leader sends: in chunks, the next of which leaves when the one before was taken.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::raft::SnapshotResponse;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::mesh::Mesh;
use super::replica::{Moment, Replica};
use super::types::{EngineVote, LogId, SnapshotMeta, TypeConfig};
use super::wire::{Chunk, Part, Request, Response};
use crate::base::{GroupId, NodeKey, StableMap};
use crate::storage::RowReader;

/// How long a chunk may take.
const CHUNK_PATIENCE: Duration = Duration::from_secs(5);
/// How long the follower may take to install a snapshot after the last chunk.
const INSTALL_PATIENCE: Duration = Duration::from_secs(60);
/// A chunk that arrived damaged is sent so often before the connection is given up.
const DAMAGED_MAX: u32 = 3;
/// A transfer that broke off can be gone on with for so long. Meanwhile it holds the state of its moment.
pub(super) const RESUME_MAX: Duration = Duration::from_secs(30);
/// How long after a transfer the log keeps what is behind it. The library begins to send that as soon as it hears of the
/// end, and purges nothing that it is sending.
const FOLLOWED_MAX: Duration = Duration::from_secs(1);

/// What the leader of a group is sending, to each follower that needs it.
#[derive(Default)]
pub(super) struct Transfers {
    /// At most one for each member of the group.
    open: watch::Sender<StableMap<NodeKey, Arc<Transfer>>>,
    /// When the last of them ended.
    ended: Mutex<Option<Instant>>,
}

/// The state of one moment on its way to one follower.
pub(super) struct Transfer {
    /// Tells one transfer from the next.
    id: u64,
    meta: SnapshotMeta,
    source: Mutex<Source>,
    /// When something was taken last.
    progress: Mutex<Instant>,
}

/// What is left to send.
struct Source {
    chunk_bytes: usize,
    head: Bytes,
    rows: Option<Box<dyn RowReader>>,
    /// The number of the first part in `parts`.
    number: u64,
    /// What was read and is not taken yet.
    parts: VecDeque<Part>,
    head_bytes: u64,
    rows_read: u64,
    ended: bool,
}

/// Why a transfer did not end well.
pub(super) enum Broken {
    /// It can be gone on with.
    Lost(&'static str),
    /// The follower does not have what was sent before.
    Astray,
}

impl Transfers {
    /// Waits until nothing is being sent, and who was sent something is being sent the entries behind it.
    pub(super) async fn ended(&self) {
        loop {
            // The sender is here: it is not closed.
            drop(self.open.subscribe().wait_for(|open| open.is_empty()).await);
            let ended = *self.ended.lock();
            match ended.map(|ended| ended + FOLLOWED_MAX).filter(|followed| *followed > Instant::now()) {
                Some(followed) => sleep_until(followed).await,
                None => return,
            }
        }
    }

    /// Ends all of them.
    pub(super) fn clear(&self) {
        self.open.send_modify(StableMap::clear);
    }

    fn begin(self: &Arc<Self>, to: NodeKey, id: u64, moment: Moment, chunk_bytes: usize) -> Arc<Transfer> {
        let source = Mutex::new(Source::new(moment.head, moment.rows, chunk_bytes));
        let transfer = Arc::new(Transfer { id, meta: moment.meta, source, progress: Mutex::new(Instant::now()) });
        self.open.send_modify(|open| drop(open.insert(to, transfer.clone())));
        tokio::spawn(expire(Arc::downgrade(self), to, Arc::downgrade(&transfer)));
        transfer
    }

    /// What the oldest of them comprises: every follower has at least this when its transfer has ended.
    pub(super) fn oldest(&self) -> Option<SnapshotMeta> {
        let open = self.open.borrow();
        open.values().map(|transfer| &transfer.meta).min_by_key(|meta| meta.last_log_id).cloned()
    }

    /// The transfer to a follower, if that has at least the entries up to `least` at its end.
    fn find(&self, to: NodeKey, least: Option<LogId>) -> Option<Arc<Transfer>> {
        self.open.borrow().get(&to).filter(|transfer| transfer.meta.last_log_id >= least).cloned()
    }

    fn end(&self, to: NodeKey, transfer: &Arc<Transfer>) {
        self.open.send_if_modified(|open| {
            let found = open.get(&to).is_some_and(|open| Arc::ptr_eq(open, transfer));
            if found {
                *self.ended.lock() = Some(Instant::now());
            }
            found && open.remove(&to).is_some()
        });
    }
}

/// Ends a transfer that is not gone on with.
async fn expire(transfers: std::sync::Weak<Transfers>, to: NodeKey, transfer: std::sync::Weak<Transfer>) {
    loop {
        sleep(RESUME_MAX).await;
        let Some((transfers, transfer)) = transfers.upgrade().zip(transfer.upgrade()) else { return };
        if transfer.progress.lock().elapsed() >= RESUME_MAX {
            return transfers.end(to, &transfer);
        }
    }
}

impl Source {
    fn new(head: Bytes, rows: Option<Box<dyn RowReader>>, chunk_bytes: usize) -> Self {
        let head_bytes = head.len() as u64;
        Self { chunk_bytes, head, rows, number: 0, parts: VecDeque::new(), head_bytes, rows_read: 0, ended: false }
    }

    /// Reads ahead, so that the next part is at hand when one was taken.
    fn fill(&mut self) -> io::Result<()> {
        const AHEAD: usize = 2;
        while self.parts.len() < AHEAD && !self.ended {
            let part = self.cut()?;
            self.parts.push_back(part);
        }
        Ok(())
    }

    fn cut(&mut self) -> io::Result<Part> {
        if !self.head.is_empty() {
            return Ok(Part::Head(self.head.split_to(self.chunk_bytes.min(self.head.len()))));
        }
        let rows = self.rows.as_mut().map(|rows| rows.read(self.chunk_bytes)).transpose()?;
        if let Some(rows) = rows.filter(|rows| !rows.is_empty()) {
            self.rows_read += rows.rows();
            return Ok(Part::Rows(rows.bytes().clone()));
        }
        self.ended = true;
        Ok(Part::End { head_bytes: self.head_bytes, rows: self.rows_read })
    }

    fn taken(&mut self, number: u64) {
        if number == self.number {
            self.number += 1;
            self.parts.pop_front();
        }
    }
}

impl Transfer {
    /// The first part that was not taken, with its number.
    async fn part(self: &Arc<Self>, replica: &Replica) -> Result<(u64, Part), Broken> {
        self.read_ahead(replica).await?;
        let source = self.source.lock();
        let part = source.parts.front().cloned().ok_or(Broken::Astray)?;
        Ok((source.number, part))
    }

    async fn read_ahead(self: &Arc<Self>, replica: &Replica) -> Result<(), Broken> {
        let transfer = self.clone();
        replica.run(move || Ok(transfer.source.lock().fill()?)).await.map_err(|why| {
            tracing::error!(%why, "the state of a group could not be read; a follower stays behind");
            Broken::Astray
        })
    }
}

impl Mesh {
    /// Sends the state to a follower and waits until it is installed. It goes on where an earlier attempt broke off,
    /// unless that comprises less than `least`: the library takes it that the follower has these entries then.
    pub(super) async fn send_snapshot(
        &self,
        to: NodeKey,
        group: GroupId,
        vote: EngineVote,
        least: Option<LogId>,
        replica: &Replica,
    ) -> Result<SnapshotResponse<TypeConfig>, &'static str> {
        let transfer = match replica.transfers.find(to, least) {
            Some(transfer) => transfer,
            None => {
                let moment = replica.produce().await.map_err(|why| {
                    tracing::error!(%group, %why, "the machine gave no snapshot; a follower stays behind");
                    "the machine gave no snapshot"
                })?;
                replica.transfers.begin(to, self.next_id(), moment, self.settings.snapshot_chunk_bytes)
            }
        };
        let sent = self.send_parts(to, group, vote, &transfer, replica).await;
        if !matches!(sent, Err(Broken::Lost(_))) {
            replica.transfers.end(to, &transfer);
        }
        sent.map_err(|broken| match broken {
            Broken::Lost(why) => why,
            Broken::Astray => "the follower did not follow the transfer of a snapshot",
        })
    }

    async fn send_parts(
        &self,
        to: NodeKey,
        group: GroupId,
        vote: EngineVote,
        transfer: &Arc<Transfer>,
        replica: &Replica,
    ) -> Result<SnapshotResponse<TypeConfig>, Broken> {
        let mut damaged = 0;
        loop {
            let (number, part) = transfer.part(replica).await?;
            let last = matches!(part, Part::End { .. });
            let chunk = Chunk::new(transfer.id, vote, transfer.meta.clone(), number, part);
            let patience = if last { INSTALL_PATIENCE } else { CHUNK_PATIENCE };
            let ask = self.ask(to, group, Request::Chunk(chunk), patience);
            let (answer, read) = tokio::join!(ask, transfer.read_ahead(replica));
            match answer.map_err(Broken::Lost)? {
                Response::Taken if !last => {
                    transfer.source.lock().taken(number);
                    *transfer.progress.lock() = Instant::now();
                    damaged = 0;
                }
                Response::Installed(response) => return Ok(response),
                Response::Damaged if damaged < DAMAGED_MAX => damaged += 1,
                Response::Damaged => return Err(Broken::Lost("chunks of a snapshot arrive damaged")),
                _ => return Err(Broken::Astray),
            }
            read?;
        }
    }
}

// Nothing panics half-way through a change.
