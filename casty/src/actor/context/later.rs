//! Messages that an actor sends itself later: by a timer, or when a future is ready.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::extras::ticket;
use super::{Ctx, Home};
use crate::actor::cell::AnyCell;
use crate::actor::dead_letters::DeadReason;
use crate::actor::timers::Timer;
use crate::actor::watch::Signal;
use crate::actor::{Actor, ActorRef, ActorTarget, Failure, Handles, Message, Port, SendRequest, SentTo};

impl<A: Actor> Ctx<A> {
    /// Has the actor handle `msg` after `delay`, ahead of what then waits in its mailbox.
    ///
    /// A timer ends with the instance of the actor: when it stops, or restarts. That of an entity ends when the entity
    /// moves, too, and its message is sent to the entity as by anybody else. While it runs, the entity does not
    /// [leave memory](crate::StartSharded::passivate_after).
    pub fn after<M: Message>(&mut self, delay: Duration, msg: impl SentTo<A, Message = M>) -> Timer
    where
        A: Handles<M>,
    {
        let msg: M = msg.into();
        let Home::Entity(entity) = &self.home else {
            return self.extras().timers().once(delay, A::wrap(msg, Port::none()));
        };
        let myself = entity.myself.clone();
        self.add_sender(async move {
            sleep(delay).await;
            drop(tell(&myself, msg).await);
        })
    }

    /// Has the actor handle `msg` every `period`, the first time after one period. If it is late, ticks that were missed
    /// are left out: see [`every_with`](Self::every_with).
    pub fn every<M: Message + Clone>(&mut self, period: Duration, msg: impl SentTo<A, Message = M>) -> Timer
    where
        A: Handles<M>,
    {
        let msg: M = msg.into();
        self.every_with(period, MissedTickBehavior::Skip, move || msg.clone())
    }

    /// As [`every`](Self::every), with a message made for each tick, and a choice of what becomes of ticks that were missed
    /// while the actor was busy. The shortest period is a millisecond.
    pub fn every_with<M: Message>(
        &mut self,
        period: Duration,
        missed: MissedTickBehavior,
        mut make: impl FnMut() -> M + Send + 'static,
    ) -> Timer
    where
        A: Handles<M>,
    {
        let Home::Entity(entity) = &self.home else {
            return self.extras().timers().every(period, missed, Box::new(move || A::wrap(make(), Port::none())));
        };
        let myself = entity.myself.clone();
        let period = period.max(Duration::from_millis(1));
        self.add_sender(async move {
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(missed);
            loop {
                ticks.tick().await;
                drop(tell(&myself, make()).await);
            }
        })
    }

    /// Ends a timer: nothing more comes of it. False if it was over.
    pub fn cancel(&mut self, timer: Timer) -> bool {
        let Some(extras) = &mut self.extras else { return false };
        match extras.senders.remove(&timer.number()) {
            Some(sender) => {
                let runs = !sender.is_finished();
                sender.abort();
                runs
            }
            None => extras.timers().cancel(timer),
        }
    }

    /// Has the actor handle `msg` whenever it has handled nothing for so long. Not for entities, which are never told.
    pub fn set_receive_timeout<M: Message + Clone>(&mut self, after: Duration, msg: impl SentTo<A, Message = M>)
    where
        A: Handles<M>,
    {
        let msg: M = msg.into();
        let make = Box::new(move || A::wrap(msg.clone(), Port::none()));
        self.extras().timers().set_idle(Some((after, make)));
    }

    /// Takes [`set_receive_timeout`](Self::set_receive_timeout) back.
    pub fn clear_receive_timeout(&mut self) {
        if let Some(extras) = &mut self.extras {
            extras.timers().set_idle(None);
        }
    }

    /// Runs `future` beside the actor, and has the actor handle what `then` makes of its output.
    ///
    /// The actor goes on in the meantime. The message queues behind those that wait, whether or not there is room. If the
    /// future or `then` panics, the actor fails of it. The future is dropped when the actor stops or restarts.
    pub fn pipe_to_self<F, M>(&mut self, future: F, then: impl FnOnce(F::Output) -> M + Send + 'static)
    where
        F: Future + Send + 'static,
        M: Message,
        A: Handles<M>,
    {
        let made = AssertUnwindSafe(async move { then(future.await) }).catch_unwind();
        match &self.home {
            Home::Local(cell) => {
                let (cell, instance) = (cell.clone(), self.extras().instance);
                self.extras().futures().spawn(async move {
                    match made.await {
                        Ok(msg) => {
                            if let Err(msg) = cell.mailbox.push_own(A::wrap(msg, Port::none())) {
                                let letters = cell.shared().env().dead_letters();
                                letters.record(DeadReason::Stopped, A::message_name(&msg), || cell.id().to_string());
                            }
                        }
                        Err(panic) => {
                            cell.signal(Signal::Failed(Failure::from_panic(panic), instance));
                        }
                    }
                });
            }
            Home::Entity(entity) => {
                let (myself, id) = (entity.myself.clone(), entity.id.clone());
                self.extras().futures().spawn(async move {
                    match made.await {
                        Ok(msg) => drop(tell(&myself, msg).await),
                        Err(panic) => {
                            let panic = Failure::from_panic(panic).reason;
                            tracing::error!(actor = A::NAME, entity = %id, panic, "a future of the entity panicked");
                        }
                    }
                });
            }
        }
    }

    /// A task of an entity that sends to it.
    fn add_sender(&mut self, sender: impl Future<Output = ()> + Send + 'static) -> Timer {
        let extras = self.extras();
        extras.senders.retain(|_, sender| !sender.is_finished());
        let number = ticket();
        let sender = extras.futures().spawn(sender);
        extras.senders.insert(number, sender);
        Timer::new(number)
    }
}

/// A send of a message whose type is known.
fn tell<A: Handles<M>, M: Message>(to: &ActorRef<A>, msg: M) -> SendRequest<'_, A, ActorTarget<A>, M> {
    SendRequest::new(to.target(), Some(A::wrap(msg, Port::none())))
}
