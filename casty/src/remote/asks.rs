//! Where the replies of actors on other nodes are waited for.

use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::actor::AskFailure;
use crate::actor::reply::ReplySlot;
use crate::base::{NodeKey, StableMap};

/// The table is in so many parts, by number: askers on different threads rarely meet.
const PARTS: usize = 16;

/// The most asks in one part that are not answered: about a million in all.
const PART_ASKS_MAX: usize = 1 << 16;

/// The most asks of one node that are not answered.
pub(super) const ASKS_MAX: usize = PARTS * PART_ASKS_MAX;

/// At so many in one part, those are let go for the first time whose asker has left.
const SWEEP_AT: usize = 256;

/// The asks of one node that are under way. A number is never given twice, so a late answer finds nobody.
pub(super) struct Asks {
    next: AtomicU64,
    parts: [Aligned; PARTS],
}

/// A part that shares no cache line with another: who holds one would slow the others down.
#[repr(align(128))]
struct Aligned(Mutex<Part>);

struct Part {
    asks: StableMap<u64, (NodeKey, Arc<dyn ReplySlot>)>,
    sweep_at: usize,
}

impl Asks {
    /// Counts the asks from `first` on.
    pub(super) fn counting_from(first: u64) -> Self {
        let part = || Aligned(Mutex::new(Part { asks: StableMap::default(), sweep_at: SWEEP_AT }));
        Self { next: AtomicU64::new(first), parts: std::array::from_fn(|_| part()) }
    }

    /// A new ask of `peer`. It is handed back if there are too many.
    pub(super) fn begin(&self, peer: NodeKey, slot: Arc<dyn ReplySlot>) -> Result<u64, Arc<dyn ReplySlot>> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut part = self.part(id);
        if part.asks.len() >= part.sweep_at {
            part.asks.retain(|_, (_, slot)| !slot.is_abandoned());
            part.sweep_at = (2 * part.asks.len()).clamp(SWEEP_AT, PART_ASKS_MAX);
        }
        if part.asks.len() >= PART_ASKS_MAX {
            return Err(slot);
        }
        part.asks.insert(id, (peer, slot));
        Ok(id)
    }

    /// The ask has ended. `None`: it had already, or it was of another node.
    pub(super) fn end(&self, id: u64, peer: NodeKey) -> Option<Arc<dyn ReplySlot>> {
        let mut part = self.part(id);
        let Entry::Occupied(ask) = part.asks.entry(id) else { return None };
        (ask.get().0 == peer).then(|| ask.remove().1)
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
        for Aligned(part) in &self.parts {
            let mut part = part.lock();
            lost.extend(part.asks.extract_if(|_, (peer, _)| of(*peer)));
        }
        // In the order in which they were asked, and with no lock held: the askers may run at once.
        lost.sort_unstable_by_key(|(id, _)| *id);
        for (_, (_, slot)) in lost {
            slot.fail(AskFailure::Unknown { reason: why.to_owned() });
        }
    }

    fn part(&self, id: u64) -> MutexGuard<'_, Part> {
        self.parts[(id % PARTS as u64) as usize].0.lock()
    }
}
