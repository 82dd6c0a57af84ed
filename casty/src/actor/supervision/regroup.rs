//! Restarting several children in step: all stop, the youngest first; then all start, the oldest first.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Family;
use crate::actor::watch::Signal;

/// Tells an actor to end its present instance, and to wait before it makes the next.
///
/// Whatever becomes of the actor, the ends that it holds are dropped with this, so that nobody waits for it in vain.
pub(in crate::actor) struct Halt {
    /// Dropped when the instance has ended.
    pub(in crate::actor) halted: Option<oneshot::Sender<()>>,
    /// Ready when the next may be made.
    pub(in crate::actor) go: oneshot::Receiver<()>,
    /// Dropped when the next has started, or will not.
    pub(in crate::actor) _started: oneshot::Sender<()>,
}

impl Family {
    /// Restarts the child and those that its parent's strategy names with it, after `delay`. The child has failed, and
    /// waits for its turn to halt.
    pub(in crate::actor) fn regroup(self: &Arc<Self>, number: u64, delay: Duration) {
        let Some(epoch) = self.epoch(number) else { return };
        tokio::spawn(regroup(Arc::clone(self), number, epoch, delay));
    }
}

async fn regroup(family: Arc<Family>, number: u64, epoch: u64, delay: Duration) {
    let _turn = family.regrouping.lock().await;
    // Another of them failed at the same time, and took this one along.
    if family.epoch(number) != Some(epoch) {
        return;
    }
    let mut halted = Vec::new();
    for cell in family.affected(number).into_iter().rev() {
        let (gone, ended) = oneshot::channel();
        let (go, wait) = oneshot::channel();
        let (running, started) = oneshot::channel();
        cell.signal(Signal::Halt(Halt { halted: Some(gone), go: wait, _started: running }));
        // An error is what it waits for: the other end was dropped.
        let _ = ended.await;
        halted.push((go, started));
    }
    tokio::time::sleep(delay).await;
    for (go, started) in halted.into_iter().rev() {
        // Refused if the actor has stopped in the meantime.
        let _ = go.send(());
        let _ = started.await;
    }
}
