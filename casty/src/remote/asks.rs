//! Where the replies of actors on other nodes are waited for.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::actor::AskFailure;
use crate::actor::reply::ReplySlot;
use crate::base::{NodeKey, StableMap};

/// The most asks of one node that are not answered.
const ASKS_MAX: usize = 1 << 20;

/// The table is in so many parts, by number: askers on different threads rarely meet.
const PARTS: usize = 16;

/// At so many in one part, those are let go for the first time whose asker has left.
const SWEEP_AT: usize = 256;

/// The asks of one node that are under way. A number is never given twice, so a late answer finds nobody.
pub(super) struct Asks {
    next: AtomicU64,
    count: AtomicUsize,
    parts: [Mutex<Part>; PARTS],
}

struct Part {
    asks: StableMap<u64, (NodeKey, Arc<dyn ReplySlot>)>,
    sweep_at: usize,
}

impl Asks {
    pub(super) fn new() -> Self {
        let part = || Mutex::new(Part { asks: StableMap::default(), sweep_at: SWEEP_AT });
        Self { next: AtomicU64::new(0), count: AtomicUsize::new(0), parts: std::array::from_fn(|_| part()) }
    }

    /// A new ask of `peer`. It is handed back if there are too many.
    pub(super) fn begin(&self, peer: NodeKey, slot: Arc<dyn ReplySlot>) -> Result<u64, Arc<dyn ReplySlot>> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut part = self.part(id);
        if part.asks.len() >= part.sweep_at {
            let before = part.asks.len();
            part.asks.retain(|_, (_, slot)| !slot.is_abandoned());
            self.count.fetch_sub(before - part.asks.len(), Ordering::Relaxed);
            part.sweep_at = (2 * part.asks.len()).max(SWEEP_AT);
        }
        if self.count.load(Ordering::Relaxed) >= ASKS_MAX {
            return Err(slot);
        }
        part.asks.insert(id, (peer, slot));
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }

    /// The ask has ended. `None`: it had already, or it was of another node.
    pub(super) fn end(&self, id: u64, peer: NodeKey) -> Option<Arc<dyn ReplySlot>> {
        let mut part = self.part(id);
        if part.asks.get(&id)?.0 != peer {
            return None;
        }
        let (_, slot) = part.asks.remove(&id)?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(slot)
    }

    /// What this node was asked may be lost.
    pub(super) fn lost(&self, peer: NodeKey, why: &str) {
        self.fail(|of| of == peer, why);
    }

    /// Everything under way may be lost.
    pub(super) fn all_lost(&self, why: &str) {
        self.fail(|_| true, why);
    }

    fn fail(&self, of: impl Fn(NodeKey) -> bool, why: &str) {
        let mut lost = Vec::new();
        for part in &self.parts {
            let mut part = lock(part);
            lost.extend(part.asks.extract_if(|_, (peer, _)| of(*peer)));
        }
        self.count.fetch_sub(lost.len(), Ordering::Relaxed);
        // In the order in which they were asked, and with no lock held: the askers may run at once.
        lost.sort_unstable_by_key(|(id, _)| *id);
        for (_, (_, slot)) in lost {
            slot.fail(AskFailure::Unknown { reason: why.to_owned() });
        }
    }

    fn part(&self, id: u64) -> MutexGuard<'_, Part> {
        lock(&self.parts[(id % PARTS as u64) as usize])
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
