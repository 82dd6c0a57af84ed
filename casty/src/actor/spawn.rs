//! How an actor comes to life.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use super::cell::Cell;
use super::directory::NotAdded;
use super::error::SpawnError;
use super::run::run;
use super::system::Shared;
use super::{Actor, ActorRef};

/// An actor about to be spawned: await it for its reference.
#[must_use = "nothing is spawned until it is awaited"]
pub struct Spawn<A: Actor> {
    shared: Arc<Shared>,
    actor: A,
    name: Option<Arc<str>>,
    capacity: usize,
}

impl<A: Actor> Spawn<A> {
    pub(super) fn new(shared: Arc<Shared>, actor: A, capacity: usize) -> Self {
        Self { shared, actor, name: None, capacity }
    }

    /// Gives the actor a name, under which it can be looked up while it lives.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().into());
        self
    }

    /// How many messages its mailbox holds, at least one. Unset, it is the system's number.
    pub fn mailbox(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    fn spawn(self) -> Result<ActorRef<A>, SpawnError> {
        let Self { shared, actor, name, capacity } = self;
        shared.registry()?;
        let runtime = Handle::try_current().map_err(|_| SpawnError::NoRuntime)?;
        let directory = shared.directory();
        let (cell, local) = Cell::new(Arc::clone(&shared), name, directory.number(), capacity);
        directory.add(Arc::clone(&cell) as _, cell.name.as_ref()).map_err(|why| match why {
            NotAdded::Taken => SpawnError::NameTaken { name: cell.name.as_deref().unwrap_or_default().to_owned() },
            NotAdded::Closed => SpawnError::ShutDown { system: shared.env().system().to_owned() },
        })?;
        shared.env().sweeper().run_on(&runtime);
        let task = runtime.spawn(run(actor, Arc::clone(&cell)));
        // The only place that sets it.
        let _ = cell.task.set(task.abort_handle());
        Ok(ActorRef::local(local))
    }
}

impl<A: Actor> IntoFuture for Spawn<A> {
    type Output = Result<ActorRef<A>, SpawnError>;
    type IntoFuture = Spawning<A>;

    fn into_future(self) -> Spawning<A> {
        Spawning(Some(self))
    }
}

/// The future of [`Spawn`]. The actor runs, or waits for its turn to run `on_start`, when it is ready.
#[must_use = "nothing is spawned until it is awaited"]
pub struct Spawning<A: Actor>(Option<Spawn<A>>);

impl<A: Actor> Future for Spawning<A> {
    type Output = Result<ActorRef<A>, SpawnError>;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.take().map_or(Poll::Pending, |spawn| Poll::Ready(spawn.spawn()))
    }
}

impl<A: Actor> Unpin for Spawning<A> {}
