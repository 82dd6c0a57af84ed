//! The floor: an unbounded `Vec` behind a mutex that the actor takes whole, and reply slots that are used again.
//!
//! It leaves out all that a mailbox owes its user: a bound, an end, an error. What is faster skips something more.

use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::channel::{Msg, handle};
use super::{Competitor, Counter};

#[derive(Clone)]
pub(super) struct MutexVec;

impl Competitor for MutexVec {
    const NAME: &'static str = "mutex-vec";
    type Ref = Arc<Mailbox>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, mut counter: Counter<Self::Ref>) -> Self::Ref {
        let actor = Arc::new(Mailbox::default());
        let mailbox = Arc::clone(&actor);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            loop {
                mailbox.take(&mut batch).await;
                for msg in batch.drain(..) {
                    if handle::<Self, _>(&mut counter, msg, reply).await.is_break() {
                        return;
                    }
                }
            }
        });
        actor
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.push(Msg::Add(amount));
    }

    async fn total(actor: &Self::Ref) -> u64 {
        let slot = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        actor.push(Msg::Total(Arc::clone(&slot)));
        let total = poll_fn(|cx| {
            let mut inside = lock(&slot);
            if inside.total.is_none() {
                inside.asker = Some(cx.waker().clone());
            }
            inside.total.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        SPARE.with_borrow_mut(|spare| spare.push(slot));
        total
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.push(Msg::Pass(hops));
    }

    async fn stop(actor: Self::Ref) {
        actor.push(Msg::Stop);
    }
}

/// What is queued, and who takes it.
#[derive(Default)]
pub(super) struct Mailbox(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    msgs: Vec<Msg<Arc<Slot>>>,
    /// The actor, while it sleeps.
    actor: Option<Waker>,
}

impl Mailbox {
    fn push(&self, msg: Msg<Arc<Slot>>) {
        let mut queue = lock(&self.0);
        queue.msgs.push(msg);
        let actor = queue.actor.take();
        drop(queue);
        actor.into_iter().for_each(Waker::wake);
    }

    /// Swaps what is queued for the empty `batch`, as soon as anything is.
    async fn take(&self, batch: &mut Vec<Msg<Arc<Slot>>>) {
        poll_fn(|cx| {
            let mut queue = lock(&self.0);
            if queue.msgs.is_empty() {
                queue.actor = Some(cx.waker().clone());
                return Poll::Pending;
            }
            mem::swap(&mut queue.msgs, batch);
            Poll::Ready(())
        })
        .await;
    }
}

/// Where a reply is put. The asker uses it for its next ask, when the reply is all that the last one could leave in it.
type Slot = Mutex<Inside>;

#[derive(Default)]
pub(super) struct Inside {
    total: Option<u64>,
    asker: Option<Waker>,
}

thread_local! {
    static SPARE: RefCell<Vec<Arc<Slot>>> = const { RefCell::new(Vec::new()) };
}

fn reply(slot: Arc<Slot>, total: u64) {
    let mut inside = lock(&slot);
    inside.total = Some(total);
    let asker = inside.asker.take();
    drop(inside);
    asker.into_iter().for_each(Waker::wake);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
