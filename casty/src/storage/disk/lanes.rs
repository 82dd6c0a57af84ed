//! What waits for the writer, and what it takes next.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::work::{Queued, Work};

/// The bytes after which a transaction takes no more work: the next ones need not wait longer than for this.
const TRANSACTION_BYTES: u64 = 64 << 20;
/// The bytes of bulk work after which a transaction takes no more of it: entries and votes wait no longer for it.
const BULK_BYTES: u64 = 512 << 10;
/// While entries and votes come, bulk work rests for so many times as long as its last transaction took.
const REST: u32 = 6;

/// What waits for the writer. Entries and votes, for which groups wait, go before bulk work; of each kind, the first
/// goes first. Bulk work never goes before entries and votes that were handed in earlier.
#[derive(Default)]
pub(super) struct Lanes {
    urgent: VecDeque<Queued>,
    bulk: VecDeque<Queued>,
    /// No bulk work is taken before this, while there is other work.
    rests_until: Option<Instant>,
}

/// What goes into one transaction.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) queued: Vec<Queued>,
    urgent: bool,
    bulk: bool,
}

impl Lanes {
    pub(super) fn push(&mut self, queued: Queued) {
        if queued.work.is_bulk() { self.bulk.push_back(queued) } else { self.urgent.push_back(queued) }
    }

    /// What the next transaction writes; `None` if nothing waits, or what waits [rests](Self::rest).
    pub(super) fn take(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        batch.urgent = batch.fill(&mut self.urgent, TRANSACTION_BYTES);
        if self.urgent.is_empty() && self.rest().is_none() {
            batch.bulk = batch.fill(&mut self.bulk, BULK_BYTES);
        }
        (batch.urgent || batch.bulk).then_some(batch)
    }

    /// A transaction was written, in so long, and all that has come meanwhile was pushed; this is what follows from it.
    pub(super) fn written(&mut self, batch: &Batch, took: Duration, follows: Vec<Work>) {
        if batch.bulk {
            let others = batch.urgent || !self.urgent.is_empty();
            self.rests_until = others.then(|| Instant::now() + took * REST);
        }
        follows.into_iter().for_each(|work| self.push(Queued { work, done: None }));
    }

    /// How long bulk work that waits rests from now on.
    pub(super) fn rest(&self) -> Option<Duration> {
        let rest = self.rests_until?.saturating_duration_since(Instant::now());
        (!rest.is_zero() && !self.bulk.is_empty()).then_some(rest)
    }

    /// Nothing comes any more: what is left need not rest.
    pub(super) fn wake(&mut self) {
        self.rests_until = None;
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
