//! The loop that runs one actor, from `on_start` to `on_stop`.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::cell::Cell;
use super::dead_letters::DeadReason;
use super::mailbox::Received;
use super::send::address_of;
use super::{Actor, Ctx, Directive, Failure};

/// After this many messages other tasks get their turn.
const BUDGET: u32 = 1024;

/// The whole life of an actor. It is a function that returns a future around one struct, since nested `async fn`s would
/// take half as much memory again for every idle actor.
pub(super) fn run<A: Actor>(actor: A, cell: Arc<Cell<A>>) -> impl Future<Output = ()> + Send {
    let ctx = Ctx::local(Arc::clone(&cell));
    let mut life = Life { actor, ctx, end: End { cell, batch: Vec::new() } };
    async move {
        if A::HAS_START && !start(&mut life).await {
            return;
        }
        // A panic ends `live`, and leaves what is still to be handled where it is.
        loop {
            let ended = Unwind(pin!(live(&mut life))).await;
            let Err(panic) = ended else { break };
            if failed(&mut life, panic) == Directive::Stop {
                break;
            }
        }
        life.end.tell_left();
        if A::HAS_STOP
            && let Err(panic) = Unwind(pin!(life.actor.stopped(&mut life.ctx))).await
        {
            log_panic(&life.end.cell, "on_stop", &Failure::from_panic(panic));
        }
    }
}

/// The fields are dropped in this order: the actor is gone before anybody hears that it stopped.
struct Life<A: Actor> {
    actor: A,
    ctx: Ctx<A>,
    end: End<A>,
}

/// What has to be done at every end, also when the runtime drops the task.
struct End<A: Actor> {
    cell: Arc<Cell<A>>,
    /// Taken out of the mailbox and not yet handled; the next one is the last.
    batch: Vec<A::Msg>,
}

impl<A: Actor> End<A> {
    /// Closes the mailbox, and drops what is left in it: that tells the askers.
    fn tell_left(&mut self) {
        let queued = self.cell.mailbox.take_left();
        let batch = std::mem::take(&mut self.batch);
        for msg in batch.into_iter().rev().chain(queued) {
            let letters = self.cell.shared.env().dead_letters();
            letters.record(DeadReason::LeftBehind, A::message_name(&msg), || address(&self.cell));
        }
    }
}

impl<A: Actor> Drop for End<A> {
    fn drop(&mut self) {
        /// Also if dropping a message panics.
        struct Last<'a, A: Actor>(&'a Cell<A>);
        impl<A: Actor> Drop for Last<'_, A> {
            fn drop(&mut self) {
                self.0.shared.directory().remove(self.0.number, self.0.name.as_ref());
                self.0.watchers.end();
            }
        }
        let cell = Arc::clone(&self.cell);
        let _last = Last(&cell);
        self.tell_left();
    }
}

/// `on_start`. Says whether the actor lives.
fn start<A: Actor>(life: &mut Life<A>) -> impl Future<Output = bool> + Send {
    async move {
        match Unwind(pin!(life.actor.started(&mut life.ctx))).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                let actor = address(&life.end.cell);
                tracing::error!(actor, %error, "on_start failed; the actor stops without having handled a message");
                false
            }
            Err(panic) => {
                log_panic(&life.end.cell, "on_start", &Failure::from_panic(panic));
                false
            }
        }
    }
}

/// Handles messages until the actor is to stop.
fn live<A: Actor>(life: &mut Life<A>) -> impl Future<Output = ()> + Send {
    async move {
        let mut budget = BUDGET;
        while !life.ctx.stop_requested() {
            let Some(msg) = life.end.batch.pop() else {
                let End { cell, batch } = &mut life.end;
                match poll_fn(|cx| cell.mailbox.poll_recv(cx, batch)).await {
                    Received::Batch => continue,
                    Received::Closed | Received::Stop => return,
                }
            };
            if life.end.cell.mailbox.is_stopping() {
                life.end.batch.push(msg);
                return;
            }
            life.actor.dispatch(msg, &mut life.ctx).await;
            budget -= 1;
            if budget == 0 {
                budget = BUDGET;
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cold]
fn failed<A: Actor>(life: &mut Life<A>, panic: Box<dyn Any + Send>) -> Directive {
    let failure = Failure::from_panic(panic);
    log_panic(&life.end.cell, "a handler", &failure);
    match catch_unwind(AssertUnwindSafe(|| life.actor.failed(&failure))) {
        Ok(directive) => directive,
        Err(panic) => {
            log_panic(&life.end.cell, "on_error", &Failure::from_panic(panic));
            Directive::Stop
        }
    }
}

fn log_panic<A: Actor>(cell: &Cell<A>, place: &str, failure: &Failure) {
    let (actor, panic) = (address(cell), &failure.panic);
    tracing::error!(actor, panic, "{place} panicked");
}

fn address<A: Actor>(cell: &Cell<A>) -> String {
    address_of(A::NAME, cell.name.as_deref())
}

/// Turns a panic of the future into an `Err`.
struct Unwind<'a, F>(Pin<&'a mut F>);

impl<F: Future> Future for Unwind<'_, F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
