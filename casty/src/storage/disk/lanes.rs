//! What waits for the writer, and what it takes next.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::work::{Queued, Work};

/// The bytes after which a transaction takes no more work: the next ones need not wait longer than for this.
const TRANSACTION_BYTES: u64 = 64 << 20;
/// The bytes of bulk work after which a transaction takes no more of it: entries and votes wait no longer for it.
const BULK_BYTES: u64 = 512 << 10;
/// While entries and votes come, bulk work rests for so many times as long as its last transaction took.
const REST: u32 = 4;

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
    /// Waits until there is something to take. `false`: nothing is left, and nothing comes any more.
    pub(super) fn wait(&mut self, queue: &Receiver<Queued>) -> bool {
        let first = match (self.urgent.is_empty() && self.bulk.is_empty(), self.rest()) {
            (true, _) => queue.recv().ok(),
            (false, Some(rest)) if self.urgent.is_empty() => queue.recv_timeout(rest).ok(),
            (false, _) => None,
        };
        first.into_iter().for_each(|queued| self.push(queued));
        self.drain(queue);
        !(self.urgent.is_empty() && self.bulk.is_empty())
    }

    /// Takes in what has come.
    fn drain(&mut self, queue: &Receiver<Queued>) {
        queue.try_iter().for_each(|queued| self.push(queued));
    }

    fn push(&mut self, queued: Queued) {
        if queued.work.is_bulk() { self.bulk.push_back(queued) } else { self.urgent.push_back(queued) }
    }

    /// What the next transaction writes.
    pub(super) fn take(&mut self) -> Batch {
        let mut batch = Batch::default();
        batch.urgent = batch.fill(&mut self.urgent, TRANSACTION_BYTES);
        if self.urgent.is_empty() && (!batch.urgent || self.rest().is_none()) {
            batch.bulk = batch.fill(&mut self.bulk, BULK_BYTES);
        }
        batch
    }

    /// A transaction was written; this is what follows from it.
    pub(super) fn written(&mut self, batch: &Batch, took: Duration, more: Vec<Work>, queue: &Receiver<Queued>) {
        more.into_iter().for_each(|work| self.push(Queued { work, done: None }));
        self.drain(queue);
        if batch.bulk {
            let others = batch.urgent || !self.urgent.is_empty();
            self.rests_until = others.then(|| Instant::now() + took * REST);
        }
    }

    /// How long bulk work rests from now on.
    fn rest(&self) -> Option<Duration> {
        let rest = self.rests_until?.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
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
