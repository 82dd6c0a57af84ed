//! What waits for the writer, and what it takes next.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::work::{Lane, Queued, Work};

/// The bytes after which a transaction takes no more work: the next ones need not wait longer than for this.
const TRANSACTION_BYTES: u64 = 64 << 20;
/// The bytes of other work than entries and votes after which a transaction takes no more of it: they wait no longer for it.
const BULK_BYTES: u64 = 512 << 10;
/// No lane rests for longer: on a slow disk, who sends rows would take them for lost.
const REST_MAX: Duration = Duration::from_millis(500);

/// While entries and votes come, a lane rests for so many times as long as its last transaction took.
const fn rest_after(lane: Lane) -> u32 {
    match lane {
        Lane::Urgent => 0,
        Lane::Snapshots => 6,
        // To send, check and store them costs as much again.
        Lane::Rows => 16,
    }
}

/// What waits for the writer. Entries and votes, for which groups wait, go first; then what has a lane of its own, so that
/// neither snapshots wait for the rows that come from another node, nor these for them. Within a lane, the first goes first.
/// Nothing goes before entries and votes that were handed in earlier.
pub(super) struct Lanes {
    urgent: VecDeque<Queued>,
    /// The one whose turn it is comes first.
    bulk: [BulkLane; 2],
}

/// Work that takes long.
struct BulkLane {
    lane: Lane,
    queue: VecDeque<Queued>,
    /// Nothing is taken before this, while there are entries and votes.
    rests_until: Option<Instant>,
}

/// What goes into one transaction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) queued: Vec<Queued>,
    urgent: bool,
    bulk: Option<Lane>,
}

impl Lanes {
    pub(super) fn push(&mut self, queued: Queued) {
        let lane = queued.work.lane();
        let bulk = self.bulk.iter_mut().find(|bulk| bulk.lane == lane);
        bulk.map_or(&mut self.urgent, |bulk| &mut bulk.queue).push_back(queued);
    }

    /// What the next transaction writes; `None` if nothing waits, or what waits [rests](Self::rest).
    pub(super) fn take(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        batch.urgent = batch.fill(&mut self.urgent, TRANSACTION_BYTES);
        if self.urgent.is_empty() {
            let ready = self.bulk.iter_mut().find(|bulk| !bulk.queue.is_empty() && bulk.rest().is_zero());
            batch.bulk = ready.and_then(|bulk| batch.fill(&mut bulk.queue, BULK_BYTES).then_some(bulk.lane));
        }
        (batch.urgent || batch.bulk.is_some()).then_some(batch)
    }

    /// A transaction was written, in so long, and all that has come meanwhile was pushed; this is what follows from it.
    pub(super) fn written(&mut self, batch: &Batch, took: Duration, follows: Vec<Work>) {
        let others = batch.urgent || !self.urgent.is_empty();
        if let Some(at) = self.bulk.iter().position(|bulk| Some(bulk.lane) == batch.bulk) {
            let rest = (took * rest_after(self.bulk[at].lane)).min(REST_MAX);
            self.bulk[at].rests_until = others.then(|| Instant::now() + rest);
            self.bulk[at..].rotate_left(1);
        }
        follows.into_iter().for_each(|work| self.push(Queued { work, done: None }));
    }

    /// How long all work that waits rests from now on.
    pub(super) fn rest(&self) -> Option<Duration> {
        let waiting = self.bulk.iter().filter(|bulk| !bulk.queue.is_empty());
        waiting.map(BulkLane::rest).min().filter(|rest| !rest.is_zero())
    }

    /// Nothing comes any more: what is left need not rest.
    pub(super) fn wake(&mut self) {
        self.bulk.iter_mut().for_each(|bulk| bulk.rests_until = None);
    }
}

impl Default for Lanes {
    fn default() -> Self {
        let bulk = |lane| BulkLane { lane, queue: VecDeque::new(), rests_until: None };
        Self { urgent: VecDeque::new(), bulk: [Lane::Snapshots, Lane::Rows].map(bulk) }
    }
}

impl BulkLane {
    fn rest(&self) -> Duration {
        self.rests_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

impl Batch {
    /// Takes from a lane until there are so many bytes. Whether there was anything.
    fn fill(&mut self, lane: &mut VecDeque<Queued>, bytes_max: u64) -> bool {
        let (mut bytes, before) = (0, self.queued.len());
        while bytes < bytes_max
            && let Some(next) = lane.pop_front()
        {
            bytes += next.work.bytes();
            self.queued.push(next);
        }
        self.queued.len() > before
    }
}
