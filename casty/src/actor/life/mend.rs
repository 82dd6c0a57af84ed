//! What is done about a failure: `on_error` is asked, and the actor goes on, is made anew, or stops.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::{Instant, sleep};

use super::{AsActor, Life, Turn, started_or_failed};
use crate::actor::cell::{AnyCell, Cell};
use crate::actor::supervision::{Family, Halt};
use crate::actor::watch::{Signal, StopReason};
use crate::actor::{Actor, Directive, Failure, Strategy};

/// Mends what ended the actor's turn. False: it stops, and its end knows why.
pub(super) async fn mend<A: Actor>(life: &mut Life<A>, turn: Turn) -> bool {
    let stops = match turn {
        Turn::Over(reason) => Some(reason),
        Turn::Halt(halt) => match in_step(life, halt).await {
            Next::Live => None,
            Next::Stop(reason) => Some(reason),
            Next::Failed(failure) => restart(life, failure).await,
        },
        Turn::Failed(failure) => match directive(life, &failure) {
            Directive::Resume => None,
            Directive::Restart => restart(life, failure).await,
            Directive::Stop => Some(StopReason::Failed(failure)),
            Directive::Escalate => {
                escalate(life, &failure);
                Some(StopReason::Failed(failure))
            }
        },
    };
    match stops {
        None => true,
        Some(reason) => {
            life.end.set_reason(reason);
            false
        }
    }
}

/// The last things: what is left is told, the children end, then `on_stop` runs. The children of an actor that has drained
/// drain too.
pub(super) async fn finish<A: Actor>(life: &mut Life<A>) {
    if !life.end.has_drained() {
        life.end.tell_left();
    }
    end_children(&life.end.cell, life.ctx.family().cloned()).await;
    life.end.tell_left();
    stop_instance(life).await;
    // An actor that had no children may spawn its first in `on_stop`.
    end_children(&life.end.cell, life.ctx.family().cloned()).await;
}

/// The first `on_start` failed: the actor stops, and the children with it that it spawned so far.
pub(super) async fn not_started<A: Actor>(life: &mut Life<A>, failure: Failure) {
    let actor = life.end.cell.address();
    tracing::error!(actor, %failure, "on_start failed; the actor stops without having handled a message");
    life.end.set_reason(StopReason::StartFailed(failure));
    life.end.tell_left();
    end_children(&life.end.cell, life.ctx.family().cloned()).await;
}

/// How an attempt to make an actor anew ended.
enum Next {
    Live,
    Stop(StopReason),
    Failed(Failure),
}

/// Makes the actor anew, as often as it may be.
async fn restart<A: Actor>(life: &mut Life<A>, mut failure: Failure) -> Option<StopReason> {
    loop {
        let Some(rebirth) = &mut life.rebirth else {
            let actor = life.end.cell.address();
            tracing::error!(actor, "it stops: it was spawned by value, so it cannot be made anew; use `spawn_with`");
            return Some(StopReason::Failed(failure));
        };
        let Some(delay) = rebirth.next(Instant::now()) else {
            let (actor, allowed) = (life.end.cell.address(), rebirth.restarts());
            tracing::error!(actor, %failure, %allowed, "it stops: it failed more often than it may restart");
            escalate(life, &failure);
            return Some(StopReason::Failed(failure));
        };
        let next = match life.end.cell.family().cloned().filter(|family| family.strategy() != Strategy::OneForOne) {
            None => {
                retire(life).await;
                let stopped = unless_stopped(&life.end.cell, sleep(delay)).await.is_none();
                if stopped { Next::Stop(StopReason::Stopped) } else { begin(life).await }
            }
            Some(family) => {
                family.regroup(life.end.cell.number, delay);
                match next_halt(&life.end.cell).await {
                    Some(halt) => in_step(life, halt).await,
                    None => Next::Stop(StopReason::Stopped),
                }
            }
        };
        match next {
            Next::Live => return None,
            Next::Stop(reason) => return Some(reason),
            Next::Failed(again) => failure = again,
        }
    }
}

/// Ends this instance, and makes the next when its turn has come.
async fn in_step<A: Actor>(life: &mut Life<A>, mut halt: Halt) -> Next {
    if let Some(family) = life.end.cell.family() {
        family.next_epoch(life.end.cell.number);
    }
    retire(life).await;
    drop(halt.halted.take());
    if life.rebirth.is_none() {
        let actor = life.end.cell.address();
        tracing::error!(actor, "it stops as its siblings restart: it was spawned by value, so it cannot be made anew");
        return Next::Stop(StopReason::Stopped);
    }
    // An error means that nobody holds it back any more.
    match unless_stopped(&life.end.cell, &mut halt.go).await {
        Some(_) => begin(life).await,
        None => Next::Stop(StopReason::Stopped),
    }
}

/// Waits for the actor's turn to halt. What else is signalled meanwhile is left for the next instance, which knows what is
/// meant for it.
async fn next_halt<A: Actor>(cell: &Cell<A>) -> Option<Halt> {
    let mut others = Vec::new();
    let halt = loop {
        poll_fn(|cx| cell.mailbox.poll_interrupted(cx)).await;
        if cell.mailbox.is_stopping() {
            return None;
        }
        cell.mailbox.take_signal();
        let halt = std::iter::from_fn(|| cell.sideband.pop()).find_map(|signal| match signal {
            Signal::Halt(halt) => Some(halt),
            other => {
                others.push(other);
                None
            }
        });
        if let Some(halt) = halt {
            break halt;
        }
    };
    for other in others {
        cell.signal(other);
    }
    // More may have come behind it.
    cell.mailbox.signal();
    Some(halt)
}

/// Ends an instance: its children, then itself.
async fn retire<A: Actor>(life: &mut Life<A>) {
    stop_children(life.ctx.family().cloned()).await;
    stop_instance(life).await;
    // An actor that had no children may spawn its first in `on_stop`.
    stop_children(life.ctx.family().cloned()).await;
    life.ctx.unstash_into(&mut life.end.batch);
    // Timers and futures of the user's are dropped there.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| life.ctx.renew())) {
        log_panic(&life.end.cell, "a destructor", &Failure::from_panic(panic));
    }
}

/// Makes an instance, and starts it.
async fn begin<A: Actor>(life: &mut Life<A>) -> Next {
    let Some(rebirth) = &mut life.rebirth else { return Next::Stop(StopReason::Stopped) };
    let made = catch_unwind(AssertUnwindSafe(|| rebirth.make()));
    let actor = match made {
        Ok(actor) => life.actor.insert(actor),
        Err(panic) => {
            return not_begun(&life.end.cell, "the closure of `spawn_with` panicked", Failure::from_panic(panic));
        }
    };
    if A::HAS_START {
        let key = life.end.cell.waiting_key();
        let started = AsActor::new(key, actor.started(&mut life.ctx)).await;
        if let Err(failure) = started_or_failed(started) {
            // It has not started, so it is not stopped either.
            drop_instance(life);
            retire(life).await;
            return not_begun(&life.end.cell, "on_start failed", failure);
        }
    }
    life.end.cell.kind.meters.restarts.increment(1);
    tracing::info!(actor = life.end.cell.address(), "restarted");
    Next::Live
}

fn not_begun<A: Actor>(cell: &Cell<A>, what: &str, failure: Failure) -> Next {
    let actor = cell.address();
    tracing::error!(actor, %failure, "{what} as the actor was made anew");
    Next::Failed(failure)
}

/// Runs `on_stop`, and drops the instance.
async fn stop_instance<A: Actor>(life: &mut Life<A>) {
    if A::HAS_STOP
        && let Some(actor) = &mut life.actor
        && let Err(panic) = AsActor::new(life.end.cell.waiting_key(), actor.stopped(&mut life.ctx)).await
    {
        log_panic(&life.end.cell, "on_stop", &Failure::from_panic(panic));
    }
    drop_instance(life);
}

fn drop_instance<A: Actor>(life: &mut Life<A>) {
    let actor = life.actor.take();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(actor))) {
        log_panic(&life.end.cell, "its destructor", &Failure::from_panic(panic));
    }
}

/// Stops the children, or drains them if the actor itself was drained, and waits for their end.
async fn end_children<A: Actor>(cell: &Cell<A>, family: Option<Arc<Family>>) {
    if let Some(family) = &family
        && !cell.mailbox.is_stopping()
    {
        family.drain();
        if unless_stopped(cell, pin!(family.emptied())).await.is_some() {
            return;
        }
    }
    stop_children(family).await;
}

/// Stops the children, and waits for their end.
async fn stop_children(family: Option<Arc<Family>>) {
    if let Some(family) = family {
        family.stop();
        family.emptied().await;
    }
}

/// Asks `on_error`.
fn directive<A: Actor>(life: &mut Life<A>, failure: &Failure) -> Directive {
    life.end.cell.kind.meters.failures.increment(1);
    let what = if failure.child.is_some() { "a child gave up" } else { "a handler panicked" };
    let decided = match &mut life.actor {
        Some(actor) => catch_unwind(AssertUnwindSafe(|| actor.failed(failure))),
        None => Ok(Directive::Stop),
    };
    let directive = decided.unwrap_or_else(|panic| {
        log_panic(&life.end.cell, "on_error", &Failure::from_panic(panic));
        Directive::Stop
    });
    tracing::error!(actor = life.end.cell.address(), %failure, ?directive, "{what}");
    directive
}

/// Has the parent fail of the same.
fn escalate<A: Actor>(life: &Life<A>, failure: &Failure) {
    if let Some(family) = life.end.cell.family() {
        // False if the parent ends at this moment.
        let _ = family.escalate(failure.clone().of_child(life.end.cell.address()));
    }
}

/// The output of the future; `None` if the actor is to stop before.
async fn unless_stopped<A: Actor, F: Future>(cell: &Cell<A>, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => cell.mailbox.poll_stopping(cx).map(|()| None),
    })
    .await
}

fn log_panic<A: Actor>(cell: &Cell<A>, place: &str, failure: &Failure) {
    tracing::error!(actor = cell.address(), %failure, "{place} panicked");
}
