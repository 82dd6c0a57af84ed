//! How far an entity's writes are committed, and what its handlers wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::actor::AskFailure;
use crate::actor::scope::{Held, Scope};

/// The commits of one cell, and the sends that have left it.
pub(super) struct Progress {
    committed: AtomicU64,
    released: AtomicU64,
    stopped: AtomicBool,
    stopping: Notify,
    waiting: Mutex<Vec<Waker>>,
}

impl Progress {
    /// Everything up to `version` is committed.
    pub(super) fn new(version: u64) -> Self {
        let (committed, released, stopped) = (AtomicU64::new(version), AtomicU64::new(0), AtomicBool::new(false));
        Self { committed, released, stopped, stopping: Notify::new(), waiting: Mutex::default() }
    }

    /// Everything up to `version` is committed.
    pub(super) fn commit(&self, version: u64) {
        self.committed.fetch_max(version, Ordering::AcqRel);
        self.wake();
    }

    /// What the first `parcels` handlers sent that sent anything has left.
    pub(super) fn release(&self, parcels: u64) {
        self.released.fetch_max(parcels, Ordering::AcqRel);
        self.wake();
    }

    /// Nothing more will be committed.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stopping.notify_one();
        self.wake();
    }

    /// Ends when the cell is stopped.
    pub(super) async fn stopped(&self) {
        if !self.stopped.load(Ordering::Acquire) {
            self.stopping.notified().await;
        }
    }

    /// Whether everything up to `version` is committed and the first `parcels` sends have left.
    pub(super) fn has_come_to(&self, version: u64, parcels: u64) -> bool {
        self.committed.load(Ordering::Acquire) >= version && self.released.load(Ordering::Acquire) >= parcels
    }

    /// Ready when everything up to `version` is committed and the first `parcels` sends have left, or never will.
    fn poll(&self, cx: &Context<'_>, version: u64, parcels: u64) -> Poll<Result<(), AskFailure>> {
        let mut waiting = self.waiting.lock();
        if self.has_come_to(version, parcels) {
            return Poll::Ready(Ok(()));
        }
        if self.stopped.load(Ordering::Acquire) {
            let reason = "the entity that asks has lost its place: another node leads its group".to_owned();
            return Poll::Ready(Err(AskFailure::Unavailable { reason }));
        }
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        for waker in waiting {
            waker.wake();
        }
    }
}

/// What stands between a handler of an entity and the world.
pub(super) struct CellScope {
    progress: Arc<Progress>,
    /// What must be committed before the handler may ask.
    before: AtomicU64,
    /// What must have left before the handler may ask: an ask does not overtake what the entity sent earlier.
    behind: AtomicU64,
    held: Mutex<Vec<Held>>,
}

impl CellScope {
    /// The scope of the handlers of one cell.
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        Self { progress, before: AtomicU64::new(0), behind: AtomicU64::new(0), held: Mutex::default() }
    }

    /// A handler begins on state of this version, after `parcels` others have sent something.
    pub(super) fn begin(&self, version: u64, parcels: u64) {
        self.before.store(version, Ordering::Release);
        self.behind.store(parcels, Ordering::Release);
    }

    /// What the handler sent.
    pub(super) fn take(&self) -> Vec<Held> {
        std::mem::take(&mut *self.held.lock())
    }
}

impl Scope for CellScope {
    fn hold(&self, held: Held) {
        self.held.lock().push(held);
    }

    fn poll_committed(&self, cx: &mut Context<'_>, _ticket: &mut Option<u64>) -> Poll<Result<(), AskFailure>> {
        self.progress.poll(cx, self.before.load(Ordering::Acquire), self.behind.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_waits_for_the_earlier_writes_and_for_no_others() {
        let progress = Arc::new(Progress::new(3));
        let scope = CellScope::new(progress.clone());
        let mut cx = Context::from_waker(Waker::noop());
        scope.begin(3, 0);
        assert!(scope.poll_committed(&mut cx, &mut None).is_ready());
        scope.begin(5, 0);
        progress.commit(4);
        assert!(scope.poll_committed(&mut cx, &mut None).is_pending());
        progress.commit(5);
        assert_eq!(scope.poll_committed(&mut cx, &mut None), Poll::Ready(Ok(())));
    }

    #[test]
    fn an_ask_does_not_overtake_what_was_sent_before() {
        let progress = Arc::new(Progress::new(0));
        let scope = CellScope::new(progress.clone());
        let mut cx = Context::from_waker(Waker::noop());
        scope.begin(0, 2);
        progress.release(1);
        assert!(scope.poll_committed(&mut cx, &mut None).is_pending());
        progress.release(2);
        assert_eq!(scope.poll_committed(&mut cx, &mut None), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_stopped_cell_asks_nobody() {
        let progress = Arc::new(Progress::new(0));
        let scope = CellScope::new(progress.clone());
        scope.begin(1, 0);
        progress.stop();
        let waited = scope.poll_committed(&mut Context::from_waker(Waker::noop()), &mut None);
        assert!(matches!(waited, Poll::Ready(Err(AskFailure::Unavailable { .. }))));
    }
}
