//! The loop that runs one actor, from `on_start` to `on_stop`.

mod end;
mod mend;
#[cfg(feature = "testkit")]
mod stand_in;

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use self::end::End;
pub(super) use self::end::abort;
#[cfg(feature = "testkit")]
pub(super) use self::stand_in::stand_in;
use pin_project_lite::pin_project;
use tracing::Instrument;

use super::cell::Cell;
use super::cycles::Entered;
use super::mailbox::Received;
use super::supervision::{Halt, Rebirth};
use super::watch::{Signal, StopReason};
use super::{Actor, Ctx, Failure};
use crate::base::BoxError;

/// After this many messages other tasks get their turn.
const BUDGET: u32 = 1024;

/// The whole life of an actor. It is a function that returns a future around one struct, since nested `async fn`s would
/// take half as much memory again for every idle actor. What happens rarely is boxed for the same reason.
pub(super) fn run<A: Actor>(
    actor: A,
    rebirth: Option<Box<Rebirth<A>>>,
    cell: Arc<Cell<A>>,
) -> impl Future<Output = ()> + Send {
    let ctx = Ctx::local(Arc::clone(&cell));
    let mut life = Life { actor: Some(actor), rebirth, ctx, end: End::new(cell) };
    async move {
        if A::HAS_START && !Box::pin(start_first(&mut life)).await {
            return;
        }
        loop {
            // A panic ends `live`, and leaves what is still to be handled where it is.
            let turn = match AsActor::new(life.end.cell.waiting_key(), live(&mut life)).await {
                Ok(turn) => turn,
                Err(panic) => Turn::Failed(Failure::from_panic(panic)),
            };
            life.end.count_handled();
            match turn {
                Turn::Over(reason) => {
                    life.end.set_reason(reason);
                    break;
                }
                turn => {
                    if !Box::pin(mend::mend(&mut life, turn)).await {
                        break;
                    }
                }
            }
        }
        life.ctx.unstash_into(&mut life.end.batch);
        if A::HAS_STOP || life.ctx.family().is_some() {
            Box::pin(mend::finish(&mut life)).await;
        }
    }
}

/// The fields are dropped in this order: the actor is gone before anybody hears that it stopped.
struct Life<A: Actor> {
    /// `None` between two instances.
    actor: Option<A>,
    rebirth: Option<Box<Rebirth<A>>>,
    ctx: Ctx<A>,
    end: End<A>,
}

/// Why an actor handles no messages for now.
enum Turn {
    /// It is to stop.
    Over(StopReason),
    /// It failed.
    Failed(Failure),
    /// It restarts in step with its siblings.
    Halt(Halt),
}

/// The first `on_start`. Says whether the actor lives.
#[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
fn start_first<A: Actor>(life: &mut Life<A>) -> impl Future<Output = bool> + Send {
    async move {
        let key = life.end.cell.waiting_key();
        let Some(actor) = &mut life.actor else { return false };
        let started = AsActor::new(key, actor.started(&mut life.ctx)).await;
        match started_or_failed(started) {
            Ok(()) => true,
            Err(failure) => {
                Box::pin(mend::not_started(life, failure)).await;
                false
            }
        }
    }
}

/// What came of `on_start`.
fn started_or_failed(started: Result<Result<(), BoxError>, Box<dyn Any + Send>>) -> Result<(), Failure> {
    match started {
        Ok(started) => started.map_err(|error| Failure::from_text(error.to_string())),
        Err(panic) => Err(Failure::from_panic(panic)),
    }
}

/// Handles messages until something else is to be done.
#[expect(clippy::manual_async_fn, reason = "an `async fn` keeps its arguments twice")]
fn live<A: Actor>(life: &mut Life<A>) -> impl Future<Output = Turn> + Send {
    // Only `life` is kept from one message to the next: what else stood here would stand in every idle actor. So what is
    // rare is boxed, and a message is moved into its future whole.
    async move {
        loop {
            if life.end.cell.mailbox.is_interrupted() {
                if life.end.cell.mailbox.is_stopping() {
                    return Turn::Over(StopReason::Stopped);
                }
                if let Some(turn) = Box::pin(interrupted(life)).await {
                    return turn;
                }
            }
            if life.end.handled >= BUDGET {
                life.end.count_handled();
                Box::pin(tokio::task::yield_now()).await;
            }
            let Some(msg) = life.ctx.next(&mut life.end.batch) else {
                match poll_fn(|cx| poll_wait(life, cx)).await {
                    Received::Batch | Received::Signal => continue,
                    Received::Closed | Received::Stop => return Turn::Over(StopReason::Stopped),
                }
            };
            life.end.handled += 1;
            let Life { actor: Some(actor), ctx, .. } = &mut *life else { return Turn::Over(StopReason::Aborted) };
            if tracing::enabled!(target: "casty::message", tracing::Level::TRACE) {
                Box::pin(handle_in_span(actor, msg, ctx)).await;
                continue;
            }
            let Some(msg) = actor.dispatch(msg, ctx) else { continue };
            if A::HAS_ASYNC {
                actor.dispatch_async(msg, ctx).await;
            }
        }
    }
}

/// Handles a message in a span of its own.
async fn handle_in_span<A: Actor>(actor: &mut A, msg: A::Msg, ctx: &mut Ctx<A>) {
    let message_type = A::message_name(&msg);
    let span = tracing::trace_span!(target: "casty::message", "handle", actor = A::NAME, message_type);
    if let Some(msg) = span.in_scope(|| actor.dispatch(msg, ctx)) {
        actor.dispatch_async(msg, ctx).instrument(span).await;
    }
}

/// Waits for a message, or for a timer.
#[inline]
fn poll_wait<A: Actor>(life: &mut Life<A>, cx: &mut Context<'_>) -> Poll<Received> {
    let Life { ctx, end, .. } = life;
    match end.cell.mailbox.poll_recv(cx, &mut end.batch) {
        Poll::Pending => {
            let timer = ctx.poll_timers(cx).map(|()| Received::Batch);
            end.count_handled();
            timer
        }
        received => {
            if received == Poll::Ready(Received::Batch) {
                end.cell.kind.meters.depth.record(end.batch.len() as f64);
            }
            received
        }
    }
}

/// Heeds the signals that wait. A panic leaves the others waiting.
async fn interrupted<A: Actor>(life: &mut Life<A>) -> Option<Turn> {
    let Life { actor, ctx, end, .. } = life;
    let (actor, cell) = (actor.as_mut()?, &end.cell);
    loop {
        if cell.mailbox.is_stopping() {
            return Some(Turn::Over(StopReason::Stopped));
        }
        match cell.sideband.pop() {
            None => {
                // What comes in from now on signals again.
                cell.mailbox.take_signal();
                if !cell.sideband.has_signal() {
                    return None;
                }
            }
            Some(Signal::Terminated(terminated)) => {
                if ctx.take_watched(&terminated.who) {
                    actor.terminated(terminated, ctx).await;
                }
            }
            Some(Signal::LinkEnded(terminated)) => {
                if ctx.take_link(&terminated.who) && !terminated.reason.is_normal() {
                    return Some(Turn::Over(StopReason::Linked { with: terminated.who }));
                }
            }
            Some(Signal::Failed(failure, instance)) => {
                if ctx.is_present(instance) {
                    return Some(Turn::Failed(failure));
                }
            }
            Some(Signal::Halt(halt)) => return Some(Turn::Halt(halt)),
            #[cfg(feature = "testkit")]
            Some(Signal::Look(look)) => look(actor),
            #[cfg(feature = "testkit")]
            Some(Signal::WhenIdle(tell)) => ctx.when_idle(tell),
        }
    }
}

pin_project! {
    /// Polls the future as this actor. A panic of it is an `Err`.
    struct AsActor<F> {
        actor: u64,
        // Held and not pointed at: a pointer would stand in every idle actor.
        #[pin]
        future: F,
    }
}

impl<F> AsActor<F> {
    fn new(actor: u64, future: F) -> Self {
        Self { actor, future }
    }
}

impl<F: Future> Future for AsActor<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let me = self.project();
        let _entered = Entered::new(*me.actor);
        match catch_unwind(AssertUnwindSafe(|| me.future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}
