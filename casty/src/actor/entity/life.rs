//! The loop of an entity's cell.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout;

use super::progress::CellScope;
use super::{Birth, Cell, EFFECT_BYTES_MAX, Effect, Journal, Keep, What};
use crate::actor::mailbox::Received;
use crate::actor::reply::SinkReply;
use crate::actor::scope::Held;
use crate::actor::state::{Happened, Recorded, Unrecorded};
use crate::actor::{Access, ActorRef, Ctx, Failure, FromId, Layout, Registered, Routed, scope};
use crate::base::{BoxError, EntityId, RequestId};

/// How many messages a cell handles before it lets others run.
const BUDGET: u32 = 256;

/// How long requests may wait for the `on_stop` of an entity that leaves memory.
const STOP_MAX: Duration = Duration::from_secs(5);

/// How a cell ends in order.
enum End {
    /// The region has stopped it.
    Stopped,
    /// It was asked to end, and has nothing to do.
    Passivated,
}

/// A message in the mailbox of a cell.
pub(super) struct Item<A: Registered> {
    pub(super) request: RequestId,
    pub(super) msg: A::Msg,
}

/// A live instance, and what is known of its state.
pub(super) struct Life<A: Registered, K> {
    id: EntityId,
    actor: A,
    keep: PhantomData<fn() -> K>,
    ctx: Ctx<A>,
    cell: Arc<Cell<A>>,
    scope: Arc<CellScope>,
    journal: Arc<dyn Journal>,
    /// The version after the last record that was handed to the journal.
    version: u64,
    /// How many handlers have sent anything.
    parcels: u64,
    /// The state as of that record.
    recorded: Recorded,
    batch: Vec<Item<A>>,
    /// The request whose handler runs.
    current: Option<RequestId>,
}

impl<A: Registered + FromId, K: Keep<A>> Life<A, K> {
    /// Makes the actor from its id and its replicated state.
    pub(super) fn new(birth: Birth, cell: Arc<Cell<A>>) -> Result<Self, BoxError> {
        let Birth { id, version, state, events, journal, route, system } = birth;
        let mut actor = create::<A>(&id)?;
        let current = match &state {
            Some(state) => K::restore(&mut actor, state, &events)?,
            None => false,
        };
        let stored = state.filter(|_| current).map(|state| (state, events));
        let layout = K::LAYOUT.unwrap_or(&Layout::NONE);
        let recorded = Recorded::new(layout, stored, |saver| K::save(&actor, saver))?;
        let myself = ActorRef::remote(Arc::new(Routed::<A>::new(route)));
        let ctx = Ctx::for_entity(id.clone(), myself, system);
        let scope = Arc::new(CellScope::new(cell.progress.clone()));
        let (batch, current, parcels) = (Vec::new(), None, 0);
        let mut life = Self {
            id,
            actor,
            keep: PhantomData,
            ctx,
            cell,
            scope,
            journal,
            version,
            parcels,
            recorded,
            batch,
            current,
        };
        life.watch_state();
        Ok(life)
    }

    /// Handles messages until the region stops the cell, or has it end, or the actor cannot go on.
    pub(super) async fn run(mut self) {
        let cell = self.cell.clone();
        let ended = tokio::select! {
            biased;
            () = cell.progress.stopped() => Ok(Ok(End::Stopped)),
            ended = AssertUnwindSafe(self.live()).catch_unwind() => ended,
        };
        let panicked = |panic| Err(format!("it panicked: {}", Failure::from_panic(panic).reason).into());
        match ended.unwrap_or_else(panicked) {
            Ok(End::Passivated) => return self.leave().await,
            Ok(End::Stopped) => {}
            Err(error) => self.end(&error),
        }
        self.stopped().await;
    }

    /// Ends the instance, and says so when it has: the next one waits for that, and requests do.
    async fn leave(mut self) {
        let stopped = AssertUnwindSafe(async { timeout(STOP_MAX, self.stopped()).await.is_ok() }).catch_unwind().await;
        if !stopped.unwrap_or(true) {
            tracing::warn!(actor = A::NAME, entity = %self.id, after = ?STOP_MAX, "an on_stop takes too long, and is dropped");
        }
        let Self { actor, ctx, journal, .. } = self;
        // A `Drop` is the user's code, and may panic.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| drop((actor, ctx))));
        journal.record(Effect { request: None, what: What::Gone, held: Vec::new() });
    }

    /// Runs `on_stop`. What it does counts for nothing.
    async fn stopped(&mut self) {
        if A::HAS_STOP {
            let Self { actor, ctx, scope, .. } = self;
            let _ = AssertUnwindSafe(scope::enter(scope.clone(), actor.stopped(ctx))).catch_unwind().await;
        }
    }

    async fn live(&mut self) -> Result<End, BoxError> {
        self.start().await?;
        let mut budget = BUDGET;
        loop {
            while let Some(item) = self.batch.pop() {
                self.handle(item).await?;
                budget -= 1;
                if budget == 0 {
                    budget = BUDGET;
                    tokio::task::yield_now().await;
                }
            }
            let Self { cell, batch, .. } = self;
            match poll_fn(|cx| cell.mailbox.poll_recv(cx, batch)).await {
                Received::Batch => {}
                Received::Signal => {
                    self.cell.mailbox.take_signal();
                    // An `on_start` may have done something since it was asked.
                    if self.cell.progress.has_come_to(self.version, self.parcels) && !self.ctx.is_busy() {
                        return Ok(End::Passivated);
                    }
                    self.record(None, What::Stays, Vec::new());
                }
                Received::Closed | Received::Stop => return Ok(End::Stopped),
            }
        }
    }

    /// Runs `on_start`. What it changed is a record of its own, ahead of every reply.
    async fn start(&mut self) -> Result<(), BoxError> {
        if !A::HAS_START {
            return Ok(());
        }
        self.scope.begin(self.version, self.parcels);
        let Self { actor, ctx, scope, .. } = self;
        let started = AssertUnwindSafe(scope::enter(scope.clone(), actor.started(ctx))).catch_unwind().await;
        match started {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(format!("on_start failed: {error}").into()),
            Err(panic) => return Err(format!("on_start panicked: {}", Failure::from_panic(panic).reason).into()),
        }
        let happened = self.happened().map_err(|why| format!("on_start failed: {why}"))?;
        let (change, held) = (self.change(happened, usize::MAX)?, self.scope.take());
        if change.is_some() || !held.is_empty() {
            self.version += 1;
            let what = What::Write { version: self.version, change, reply: SinkReply::Failed };
            self.record(None, what, held);
        }
        Ok(())
    }

    /// Runs one handler, and hands what it did to the journal.
    async fn handle(&mut self, item: Item<A>) -> Result<(), BoxError> {
        let Item { request, msg } = item;
        self.current = Some(request);
        let access = A::access(&msg);
        self.scope.begin(self.version, self.parcels);
        let Self { actor, ctx, scope, .. } = self;
        let ended = AssertUnwindSafe(scope::enter(scope.clone(), dispatch(actor, msg, ctx))).catch_unwind().await;
        let reply = match (ended, self.cell.sink.take()) {
            (Err(panic), _) => return self.fail(access, &Failure::from_panic(panic)).await,
            (Ok(()), Some(SinkReply::Value(reply))) => reply,
            (Ok(()), _) => return self.fail(access, &Failure::from_text("its reply cannot be encoded")).await,
        };
        let what = match access {
            Access::Read => What::Read { reply: SinkReply::Value(reply) },
            Access::Write => {
                let happened = match self.happened() {
                    Ok(happened) => happened,
                    Err(why) => return self.fail(access, &Failure::from_text(why)).await,
                };
                let room = EFFECT_BYTES_MAX.checked_sub(reply.len()).ok_or(Unrecorded::TooLarge { bytes: 0 });
                let change = match room.and_then(|room| self.change(happened, room)) {
                    Ok(change) => change,
                    Err(Unrecorded::TooLarge { bytes }) => {
                        let bytes = bytes + reply.len();
                        let why = format!("its state and reply take {bytes} bytes, and {EFFECT_BYTES_MAX} are allowed");
                        return self.fail(access, &Failure::from_text(why)).await;
                    }
                    Err(error) => return Err(error.into()),
                };
                self.version += 1;
                What::Write { version: self.version, change, reply: SinkReply::Value(reply) }
            }
        };
        let (request, held) = (self.current.take(), self.scope.take());
        self.record(request, what, held);
        if self.ctx.stop_requested() {
            self.renew().await?;
        }
        Ok(())
    }

    /// Hands what a handler did to the journal.
    fn record(&mut self, request: Option<RequestId>, what: What, held: Vec<Held>) {
        self.parcels += u64::from(!held.is_empty());
        self.journal.record(Effect { request, what, held });
    }

    /// A handler panicked: it changed nothing. What it sent is dropped, and the actor is made anew from its last record.
    async fn fail(&mut self, access: Access, failure: &Failure) -> Result<(), BoxError> {
        tracing::error!(actor = A::NAME, entity = %self.id, panic = failure.reason, "a handler failed");
        drop(self.scope.take());
        let what = match access {
            Access::Read => What::Read { reply: SinkReply::Failed },
            Access::Write => {
                self.version += 1;
                What::Write { version: self.version, change: None, reply: SinkReply::Failed }
            }
        };
        let request = self.current.take();
        self.record(request, what, Vec::new());
        let Self { actor, .. } = self;
        // The directive does not matter for an entity; the actor may still want to know.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| actor.failed(failure)));
        self.renew().await
    }

    /// Makes the actor anew from its last record.
    async fn renew(&mut self) -> Result<(), BoxError> {
        let mut actor = create::<A>(&self.id)?;
        let (state, records) = self.recorded.kept()?;
        let inside = self.cell.env.enter();
        K::restore(&mut actor, &state, records)?;
        drop(inside);
        self.actor = actor;
        self.ctx.renew();
        self.watch_state();
        self.start().await
    }

    /// What the handler that has ended emitted, or why it cannot count.
    fn happened(&mut self) -> Result<Happened, String> {
        let Self { actor, ctx, .. } = self;
        ctx.take_emitted(|saver| K::save(actor, saver))
    }

    /// What the next record says of the state; that is recorded from now on.
    fn change(&mut self, happened: Happened, bytes_max: usize) -> Result<Option<Vec<u8>>, Unrecorded> {
        let Self { actor, recorded, .. } = self;
        recorded.next(happened, |saver| K::save(actor, saver), bytes_max)
    }

    /// A state that has events is to be changed by nothing else.
    fn watch_state(&mut self) {
        let Self { actor, ctx, .. } = self;
        if K::LAYOUT.is_some_and(|layout| layout.events.is_some()) {
            ctx.watch_state(|saver| K::save(actor, saver));
        }
    }

    /// The actor cannot go on: nothing that waits for it is handled.
    fn end(&mut self, error: &BoxError) {
        tracing::error!(actor = A::NAME, entity = %self.id, %error, "an entity cannot go on");
        self.cell.mailbox.stop();
        self.batch.extend(self.cell.mailbox.take_left());
        let queued = self.batch.drain(..).rev().map(|item| item.request);
        for request in self.current.take().into_iter().chain(queued) {
            let reason = format!("`{}` cannot start or go on: {error}", self.id);
            let what = What::Refused { reason };
            self.journal.record(Effect { request: Some(request), what, held: Vec::new() });
        }
        self.journal.record(Effect { request: None, what: What::Gone, held: Vec::new() });
    }
}

/// Runs a handler. Not before it is polled, since what it sends is held back only then.
async fn dispatch<A: Registered>(actor: &mut A, msg: A::Msg, ctx: &mut Ctx<A>) {
    if let Some(msg) = actor.dispatch(msg, ctx) {
        actor.dispatch_async(msg, ctx).await;
    }
}

fn create<A: FromId>(id: &EntityId) -> Result<A, BoxError> {
    A::create(id).ok_or_else(|| format!("`{}` has no `new(EntityId)`", A::NAME).into())
}
