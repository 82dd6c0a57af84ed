//! Where an asker waits: a slot that two sides share, and that returns to a pool of its thread when both have left.
//!
//! Each side leaves once: the [`SlotPort`] by its answer, the [`Wait`] when it has taken it or was dropped. A slot is
//! reused only after both left, so a late answer finds nobody and never another asker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::Port;
use super::sweeper::{Due, Sweeper, Timed};
use super::unanswered::{Unanswered, unanswered};
use crate::actor::cycles;
use crate::actor::error::AskFailure;
use crate::actor::recycle;

/// How many slots of a reply type and system a thread keeps.
const KEPT_MAX: usize = 256;

/// What a [`Wait`] ends with.
pub(crate) enum Answer<R> {
    /// The reply.
    Value(R),
    /// There is none.
    Failure(Box<AskFailure>),
    /// The time is over.
    Overdue,
}

/// The two ends of a request that has until `due`.
#[inline]
pub(crate) fn pair<R: Send + 'static>(sweeper: &Arc<Sweeper>, due: Due) -> (Port<R>, Wait<R>) {
    let slot = recycle::take(sweeper.id()).unwrap_or_else(|| new_slot(sweeper));
    debug_assert!(!slot.state.lock().overdue, "a slot is as new when it is used again");
    slot.due.store(due.0, Ordering::Relaxed);
    (Port::slot(SlotPort(Some(Arc::clone(&slot)))), Wait(Some(slot)))
}

/// The asker's side.
pub(crate) struct Wait<R: Send + 'static>(Option<Arc<Slot<R>>>);

/// The actor's side. Dropped unanswered, it tells the asker.
pub(super) struct SlotPort<R: Send + 'static>(Option<Arc<Slot<R>>>);

pub(super) struct Slot<R> {
    state: Mutex<State<R>>,
    /// A [`Due`]; 0 while nobody waits.
    due: AtomicU64,
    sweeper: Arc<Sweeper>,
}

struct State<R> {
    answer: Option<Given<R>>,
    waker: Option<Waker>,
    /// One of the two sides has left: the other recycles the slot.
    one_left: bool,
    overdue: bool,
    /// The actor whose handler waits here, and the one that it waits for. Taken when there is an answer, before anybody hears
    /// of it: who has an answer waits for nobody.
    edge: Option<(u64, u64)>,
}

/// An answer in its slot: small, since it is moved with every reply.
enum Given<R> {
    Value(R),
    Failure(Box<AskFailure>),
}

impl<R: Send + 'static> Wait<R> {
    /// The handler of `asker` waits here for `asked`. `Err`: then they would wait for each other; who waits for whom.
    pub(crate) fn declare(&self, asker: u64, asked: u64) -> Result<(), Vec<u64>> {
        let Some(slot) = &self.0 else { return Ok(()) };
        let Some(waits) = slot.sweeper.waits() else { return Ok(()) };
        waits.enter(asker, asked)?;
        slot.state.lock().edge = Some((asker, asked));
        Ok(())
    }

    /// Waits for the answer, or until the time is over. Ready once.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer<R>> {
        let Some(slot) = &self.0 else { return Poll::Pending };
        let mut state = slot.state.lock();
        if let Some(answer) = state.answer.take() {
            // The other side has left: this one recycles.
            slot.renew(&mut state);
            drop(state);
            if let Some(slot) = self.0.take() {
                recycle(slot);
            }
            return Poll::Ready(match answer {
                Given::Value(reply) => Answer::Value(reply),
                Given::Failure(failure) => Answer::Failure(failure),
            });
        }
        if state.overdue {
            drop(state);
            self.leave();
            return Poll::Ready(Answer::Overdue);
        }
        // The request has left the handler that began it, and holds that actor up no more.
        let moved = state.edge.take_if(|(asker, _)| *asker != cycles::current());
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            waker => *waker = Some(cx.waker().clone()),
        }
        drop(state);
        slot.withdraw(moved);
        // Only now: a sweeper that goes to sleep looks at every slot under its lock once more, so that either it sees
        // this one waiting or this sees it asleep.
        slot.sweeper.ensure_awake();
        Poll::Pending
    }

    fn leave(&mut self) {
        let Some(slot) = self.0.take() else { return };
        slot.due.store(0, Ordering::Relaxed);
        let mut state = slot.state.lock();
        let left = (state.waker.take(), state.answer.take());
        let edge = state.edge.take();
        state.overdue = false;
        state.one_left = !state.one_left;
        let alone = !state.one_left;
        if alone {
            slot.renew(&mut state);
        }
        drop(state);
        slot.withdraw(edge);
        if alone {
            recycle(slot);
        }
        drop(left);
    }
}

impl<R: Send + 'static> Drop for Wait<R> {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}

impl<R: Send + 'static> SlotPort<R> {
    #[inline]
    pub(super) fn reply(mut self, reply: R) {
        self.finish(Given::Value(reply));
    }

    pub(super) fn fail(mut self, failure: AskFailure) {
        self.finish(Given::Failure(Box::new(failure)));
    }

    /// When the asker gives up, as far as it is settled yet.
    pub(super) fn deadline(&self) -> Option<tokio::time::Instant> {
        let slot = self.0.as_ref()?;
        slot.sweeper.instant(Due(slot.due.load(Ordering::Relaxed)))
    }

    /// Whether the asker has left.
    pub(super) fn is_abandoned(&self) -> bool {
        self.0.as_ref().is_none_or(|slot| slot.state.lock().one_left)
    }

    #[inline]
    fn finish(&mut self, answer: Given<R>) {
        let Some(slot) = self.0.take() else { return };
        let mut state = slot.state.lock();
        if state.one_left {
            slot.renew(&mut state);
            drop(state);
            recycle(slot);
            return;
        }
        state.answer = Some(answer);
        state.one_left = true;
        let (waker, edge) = (state.waker.take(), state.edge.take());
        drop(state);
        slot.withdraw(edge);
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<R: Send + 'static> Drop for SlotPort<R> {
    #[inline]
    fn drop(&mut self) {
        if self.0.is_some() {
            self.finish(Given::Failure(Box::new(match unanswered() {
                Unanswered::Failed => AskFailure::Failed,
                Unanswered::Stopped => AskFailure::Stopped,
                Unanswered::Displaced => AskFailure::MailboxFull,
            })));
        }
    }
}

impl<R: Send> Timed for Slot<R> {
    fn due(&self) -> &AtomicU64 {
        &self.due
    }

    fn due_in_order(&self) -> u64 {
        let _state = self.state.lock();
        self.due.load(Ordering::Relaxed)
    }

    fn expire(&self, due: Due) {
        let mut state = self.state.lock();
        // The asker may have left since, and another may have come: then this is another request.
        if self.due.load(Ordering::Relaxed) != due.0 || state.answer.is_some() {
            return;
        }
        state.overdue = true;
        let (waker, edge) = (state.waker.take(), state.edge.take());
        drop(state);
        self.withdraw(edge);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<R> Slot<R> {
    /// As new. The last to leave calls it, when nothing is left in the slot, and before it lets go of the lock: a sweeper that
    /// waits for that lock must find nobody to expire.
    #[inline]
    fn renew(&self, state: &mut State<R>) {
        debug_assert!(state.answer.is_none() && state.waker.is_none() && state.edge.is_none());
        (state.one_left, state.overdue) = (false, false);
        self.due.store(0, Ordering::Relaxed);
    }

    /// Nobody waits here for that any more.
    #[inline]
    fn withdraw(&self, edge: Option<(u64, u64)>) {
        if let (Some((asker, asked)), Some(waits)) = (edge, self.sweeper.waits()) {
            waits.leave(asker, asked);
        }
    }
}

impl<R> State<R> {
    const NEW: Self = Self { answer: None, waker: None, one_left: false, overdue: false, edge: None };
}

#[cold]
fn new_slot<R: Send + 'static>(sweeper: &Arc<Sweeper>) -> Arc<Slot<R>> {
    let state = Mutex::new(State::NEW);
    let slot = Arc::new(Slot { state, due: AtomicU64::new(0), sweeper: Arc::clone(sweeper) });
    let timed: Arc<dyn Timed> = Arc::clone(&slot) as _;
    sweeper.watch(Arc::downgrade(&timed));
    slot
}

#[inline]
fn recycle<R: Send + 'static>(slot: Arc<Slot<R>>) {
    let key = slot.sweeper.id();
    drop(recycle::give(key, KEPT_MAX, slot));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The sweeper has seen the slot overdue and waits for its lock, while the asker finds the reply there.
    #[test]
    fn a_deadline_that_meets_the_reply_ends_no_later_ask() {
        let sweeper = Sweeper::new(None);
        let (port, wait) = pair::<u64>(&sweeper, Due::after(Duration::from_secs(5)));
        let slot = Arc::clone(wait.0.as_ref().unwrap());
        let seen = Due(slot.due.load(Ordering::Relaxed));
        port.reply(1);
        let mut state = slot.state.lock();
        assert!(state.answer.take().is_some());
        slot.renew(&mut state);
        drop(state);
        // The sweeper's turn, before the slot is in its pool again.
        slot.expire(seen);
        assert!(!slot.state.lock().overdue, "whoever uses the slot next would be overdue at once");
    }
}
