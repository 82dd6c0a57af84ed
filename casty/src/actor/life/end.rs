//! What has to be done at every end of an actor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::actor::Actor;
use crate::actor::cell::Cell;
use crate::actor::dead_letters::DeadReason;
use crate::actor::watch::{Ending, StopReason};

/// What has to be done at every end, also when the runtime drops the task.
pub(super) struct End<A: Actor> {
    pub(super) cell: Arc<Cell<A>>,
    /// Taken out of the mailbox and not yet handled; the next one is the last.
    pub(super) batch: Vec<A::Msg>,
    /// Why it ends, if not as it was told; neither this nor `told`: the task was dropped.
    reason: Option<Box<StopReason>>,
    /// It ends as it was told.
    told: bool,
    /// Messages handled since they were counted last, and since other tasks had their turn.
    pub(super) handled: u32,
}

/// Ends an actor that was never started.
pub(in crate::actor) fn abort<A: Actor>(cell: Arc<Cell<A>>) {
    cell.mailbox.stop();
    drop(End::new(cell));
}

impl<A: Actor> End<A> {
    pub(super) fn new(cell: Arc<Cell<A>>) -> Self {
        Self { cell, batch: Vec::new(), reason: None, told: false, handled: 0 }
    }

    /// What those hear who wait for the end.
    pub(super) fn set_reason(&mut self, reason: StopReason) {
        match reason {
            StopReason::Stopped => self.told = true,
            other => self.reason = Some(Box::new(other)),
        }
    }

    /// Whether it has handled all that was queued, and ends as it was told.
    pub(super) fn has_drained(&self) -> bool {
        self.told && !self.cell.mailbox.is_stopping()
    }

    /// What was handled so far is counted.
    #[inline]
    pub(super) fn count_handled(&mut self) {
        let handled = std::mem::take(&mut self.handled);
        self.cell.kind.meters.handled.increment(u64::from(handled));
    }

    /// Closes the mailbox, and drops what is left in it: that tells the askers.
    pub(super) fn tell_left(&mut self) {
        let queued = self.cell.mailbox.take_left();
        let batch = std::mem::take(&mut self.batch);
        for msg in batch.into_iter().rev().chain(queued) {
            let letters = self.cell.shared().env().dead_letters();
            letters.record(DeadReason::LeftBehind, A::message_name(&msg), || self.cell.address());
            // One that panics as it is dropped keeps nobody else from being told.
            if catch_unwind(AssertUnwindSafe(|| drop(msg))).is_err() {
                tracing::error!(
                    actor = self.cell.address(),
                    "a message that was left behind panicked as it was dropped"
                );
            }
        }
    }
}

impl<A: Actor> Drop for End<A> {
    fn drop(&mut self) {
        /// Also if dropping a message panics.
        struct Last<'a, A: Actor>(&'a Cell<A>, Ending);
        impl<A: Actor> Drop for Last<'_, A> {
            fn drop(&mut self) {
                let Self(cell, ending) = self;
                cell.kind.meters.actors.decrement(1.0);
                cell.shared().directory().remove(*cell);
                cell.end(std::mem::take(ending));
                if let Some(family) = cell.family() {
                    family.remove(cell.number);
                }
            }
        }
        let cell = Arc::clone(&self.cell);
        let ending = match self.reason.take() {
            Some(reason) => Ending::Other(reason),
            None if self.told => Ending::Stopped,
            None => Ending::Aborted,
        };
        let _last = Last(&cell, ending);
        self.count_handled();
        self.tell_left();
    }
}
