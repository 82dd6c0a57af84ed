//! How a pool comes to life.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Pool, PoolTarget, Routing};
use crate::actor::{Actor, ActorSystem, ActorTarget, Overflow, Restarts, SpawnError};

/// The most workers that a pool can have.
const WORKERS_MAX: usize = 1 << 14;

/// A pool about to be spawned: await it for its reference.
#[must_use = "nothing is spawned until it is awaited"]
pub struct SpawnPool<A: Actor> {
    system: ActorSystem,
    size: usize,
    make: Arc<dyn Fn() -> A + Send + Sync>,
    routing: Routing<A>,
    name: Option<Arc<str>>,
    restarts: Restarts,
    capacity: Option<usize>,
    overflow: Overflow,
    phase: u8,
}

impl<A: Actor> SpawnPool<A> {
    pub(in crate::actor) fn new(system: ActorSystem, size: usize, make: Arc<dyn Fn() -> A + Send + Sync>) -> Self {
        let (routing, restarts, overflow) = (Routing::default(), Restarts::default(), Overflow::default());
        Self { system, size, make, routing, name: None, restarts, capacity: None, overflow, phase: 0 }
    }

    /// Which worker gets a message. Unset, one after the other.
    pub fn routing(mut self, routing: Routing<A>) -> Self {
        self.routing = routing;
        self
    }

    /// Gives the pool a name, and the workers that name with a number: `name-0` is the first.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().into());
        self
    }

    /// How many messages the mailbox of each worker holds. Unset, it is the system's number.
    pub fn mailbox(mut self, capacity: usize) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// What becomes of a message that finds the mailbox of its worker full. Unset, its sender waits.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// When the workers end as the system shuts down: [`Spawn::shutdown_phase`](crate::actor::Spawn::shutdown_phase).
    pub fn shutdown_phase(mut self, phase: u8) -> Self {
        self.phase = phase;
        self
    }

    /// How often each worker may restart after it failed, and how fast.
    pub fn restarts(mut self, restarts: Restarts) -> Self {
        self.restarts = restarts;
        self
    }

    fn spawn(self) -> Result<Pool<A>, SpawnError> {
        let mut workers = Vec::new();
        for number in 0..self.size.clamp(1, WORKERS_MAX) {
            let make = Arc::clone(&self.make);
            let spawn = self.system.spawn_with(move || make()).restarts(self.restarts).overflow(self.overflow);
            let mut spawn = spawn.shutdown_phase(self.phase);
            if let Some(capacity) = self.capacity {
                spawn = spawn.mailbox(capacity);
            }
            if let Some(name) = &self.name {
                spawn = spawn.named(format!("{name}-{number}"));
            }
            // Those that were spawned already end with their references if one cannot be.
            if let ActorTarget::Local(worker) = spawn.spawn()?.target() {
                workers.push(worker.clone());
            }
        }
        Ok(Pool::new(PoolTarget::new(workers, self.routing, self.name)))
    }
}

impl<A: Actor> IntoFuture for SpawnPool<A> {
    type Output = Result<Pool<A>, SpawnError>;
    type IntoFuture = SpawningPool<A>;

    fn into_future(self) -> SpawningPool<A> {
        SpawningPool(Some(self))
    }
}

/// The future of [`SpawnPool`].
#[must_use = "nothing is spawned until it is awaited"]
pub struct SpawningPool<A: Actor>(Option<SpawnPool<A>>);

impl<A: Actor> Future for SpawningPool<A> {
    type Output = Result<Pool<A>, SpawnError>;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.take().map_or(Poll::Pending, |spawn| Poll::Ready(spawn.spawn()))
    }
}

impl<A: Actor> Unpin for SpawningPool<A> {}
