//! How an actor comes to life.

use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::{Instrument, Span};

use super::actor_type::ActorType;
use super::cell::{AnyCell, Cell, Local, Ties};
use super::directory::NotAdded;
use super::error::SpawnError;
use super::life::{abort, run};
use super::mailbox::{Mailbox, Overflow};
use super::remote::{Untold, tell_any};
use super::supervision::{Family, Rebirth};
use super::system::Shared;
use super::{Actor, ActorRef, Failure, Restarts};

/// An actor about to be spawned: await it for its reference.
#[must_use = "nothing is spawned until it is awaited"]
pub struct Spawn<A: Actor> {
    shared: Arc<Shared>,
    birth: Birth<A>,
    parent: Parent,
    name: Option<Arc<str>>,
    unique: bool,
    phase: u8,
    capacity: usize,
    overflow: Overflow,
}

enum Birth<A: Actor> {
    Value(A),
    /// It can be made anew.
    With(Box<Rebirth<A>>),
    /// A test gets its messages.
    #[cfg(feature = "testkit")]
    StandIn(tokio::sync::mpsc::UnboundedSender<A::Msg>),
}

/// Who spawns an actor.
pub(super) enum Parent {
    /// The program.
    None,
    /// The actor whose family it is.
    Family(Arc<Family>),
    /// An entity.
    Entity,
}

impl<A: Actor> Spawn<A> {
    pub(super) fn value(shared: Arc<Shared>, actor: A, capacity: usize) -> Self {
        Self::new(shared, Birth::Value(actor), capacity)
    }

    pub(super) fn with(shared: Arc<Shared>, make: Box<dyn FnMut() -> A + Send>, capacity: usize) -> Self {
        Self::new(shared, Birth::With(Box::new(Rebirth::new(make))), capacity)
    }

    #[cfg(feature = "testkit")]
    pub(super) fn stand_in(
        shared: Arc<Shared>,
        inbox: tokio::sync::mpsc::UnboundedSender<A::Msg>,
        capacity: usize,
    ) -> Self {
        Self::new(shared, Birth::StandIn(inbox), capacity)
    }

    fn new(shared: Arc<Shared>, birth: Birth<A>, capacity: usize) -> Self {
        let (parent, overflow) = (Parent::None, Overflow::Wait);
        Self { shared, birth, parent, name: None, unique: false, phase: 0, capacity, overflow }
    }

    pub(super) fn child_of(mut self, parent: Parent) -> Self {
        self.parent = parent;
        self
    }

    /// Gives the actor a name, under which it can be looked up while it lives.
    ///
    /// On a node of a cluster the name is unique in the cluster, and found from every node with [`Node::lookup`]; the actor runs
    /// once the cluster has agreed, and does not stop for want of references. An actor that works on its own node only has its
    /// name there only.
    ///
    /// [`Node::lookup`]: crate::Node::lookup
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into().into());
        self
    }

    /// Has it found by its type, with [`ActorSystem::unique`](super::ActorSystem::unique), while it lives. No other of its type
    /// can be spawned so meanwhile, also not while it drains; others that do not ask for it can.
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// When it ends as the system [shuts down](super::Shutdown): after the actors of lower phases. The default is 0; children end
    /// with their parent, whatever is said here.
    ///
    /// What others depend on has a higher phase than they have, and so still answers while they handle what they have queued.
    /// An actor that is linked with one of an earlier phase stops with it, if that one is dropped where it waits.
    pub fn shutdown_phase(mut self, phase: u8) -> Self {
        self.phase = phase;
        self
    }

    /// How many messages its mailbox holds, at least one. Unset, it is the system's number.
    pub fn mailbox(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Gives it a mailbox that is never full. It grows with what is sent and not handled: for senders that are bounded by
    /// something else.
    pub fn unbounded(self) -> Self {
        self.mailbox(usize::MAX)
    }

    /// What becomes of a message that finds the mailbox full. Unset, its sender waits.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How often it may restart after it failed, and how fast. Without effect on an actor that was spawned by value, which
    /// cannot be made anew.
    pub fn restarts(mut self, restarts: Restarts) -> Self {
        if let Birth::With(rebirth) = &mut self.birth {
            rebirth.set_restarts(restarts);
        }
        self
    }

    /// Spawns it, with a name that is its own in this process only.
    pub(super) fn spawn(self) -> Result<ActorRef<A>, SpawnError> {
        Ok(self.conceive()?.start())
    }

    /// Everything up to the start: messages can be sent, and wait.
    fn conceive(self) -> Result<Unborn<A>, SpawnError> {
        let Self { shared, birth, parent, name, unique, phase, capacity, overflow } = self;
        shared.registry()?;
        let runtime = Handle::try_current().map_err(|_| SpawnError::NoRuntime)?;
        let family = match parent {
            Parent::None => None,
            Parent::Family(family) => Some(family),
            Parent::Entity => return Err(SpawnError::InEntity),
        };
        let born = birth.born()?;
        let directory = shared.directory();
        let phase = family.as_ref().map_or(phase, |family| family.phase());
        let ties = Ties { name, unique, phase, family };
        let (cell, local) =
            Cell::new(ActorType::of::<A>(&shared), ties, directory.number(), Mailbox::new(capacity, overflow));
        directory.add(Arc::clone(&cell) as _).map_err(|why| match why {
            NotAdded::NameTaken => {
                SpawnError::NameTaken { name: cell.name().map(|name| name.to_string()).unwrap_or_default() }
            }
            NotAdded::TypeTaken => SpawnError::TypeTaken { actor: A::NAME },
            NotAdded::Closed => SpawnError::ShutDown { system: shared.env().system().to_owned() },
        })?;
        cell.kind.meters.actors.increment(1.0);
        let unborn = Unborn { runtime, cell, local, born: Some(born) };
        if unborn.joins_family() { Ok(unborn) } else { Err(SpawnError::ParentEnded) }
    }
}

/// An actor that has a mailbox and does not run yet. Dropped, it ends as one that was never started.
struct Unborn<A: Actor> {
    runtime: Handle,
    cell: Arc<Cell<A>>,
    local: Local<A>,
    /// Taken when it starts.
    born: Option<Born<A>>,
}

impl<A: Actor> Unborn<A> {
    fn joins_family(&self) -> bool {
        self.cell.family().is_none_or(|family| family.add(Arc::clone(&self.cell) as _))
    }

    /// Asks the cluster for its name, if it has one and belongs to a node. An actor that works on its own node only has a
    /// name there only.
    fn claim(&self) -> Option<BoxFuture<'static, Result<(), SpawnError>>> {
        let naming = self.cell.shared().env().naming()?;
        let name = Arc::clone(self.cell.name()?);
        match tell_any(&self.cell) {
            Ok(address) => Some(naming.claim(name, address)),
            Err(Untold::TooMany(error)) => {
                let reason = error.to_string();
                Some(Box::pin(std::future::ready(Err(SpawnError::NotExported { name: name.to_string(), reason }))))
            }
            Err(_local) => None,
        }
    }

    fn start(mut self) -> ActorRef<A> {
        let Self { runtime, cell, local, born } = &mut self;
        cell.shared().env().sweeper().run_on(runtime);
        let task = born.take().map(|born| match born {
            Born::Actor(actor, rebirth) => start(runtime, &**cell, run(actor, rebirth, Arc::clone(cell))),
            #[cfg(feature = "testkit")]
            Born::StandIn(inbox) => start(runtime, &**cell, super::life::stand_in(inbox, Arc::clone(cell))),
        });
        // The only place that sets it.
        let _ = task.map(|task| cell.task.set(task));
        ActorRef::local(local.clone())
    }
}

impl<A: Actor> Drop for Unborn<A> {
    fn drop(&mut self) {
        // Somebody may have found it meanwhile, and wait for its end.
        if self.born.is_some() {
            abort(Arc::clone(&self.cell));
        }
    }
}

/// What runs as an actor.
enum Born<A: Actor> {
    Actor(A, Option<Box<Rebirth<A>>>),
    #[cfg(feature = "testkit")]
    StandIn(tokio::sync::mpsc::UnboundedSender<A::Msg>),
}

impl<A: Actor> Birth<A> {
    /// The first instance.
    fn born(self) -> Result<Born<A>, SpawnError> {
        Ok(match self {
            Self::Value(actor) => Born::Actor(actor, None),
            Self::With(mut rebirth) => {
                let made = catch_unwind(AssertUnwindSafe(|| rebirth.make()));
                let panicked = |panic| SpawnError::Panicked { reason: Failure::from_panic(panic).reason };
                Born::Actor(made.map_err(panicked)?, Some(rebirth))
            }
            #[cfg(feature = "testkit")]
            Self::StandIn(inbox) => Born::StandIn(inbox),
        })
    }
}

/// Runs the actor's life as a task.
fn start(runtime: &Handle, cell: &dyn AnyCell, life: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    let span = span(cell);
    let task = match span.is_disabled() {
        true => runtime.spawn(life),
        // Boxed: who looks at spans has one more allocation, and who does not has no second copy of this code.
        false => runtime.spawn((Box::pin(life) as Pin<Box<dyn Future<Output = ()> + Send>>).instrument(span)),
    };
    task.abort_handle()
}

/// In which everything happens that the actor does.
fn span(cell: &dyn AnyCell) -> Span {
    let name = cell.name().map(|name| &**name);
    tracing::info_span!(target: "casty::actor", parent: None, "actor", actor = cell.actor(), name, number = cell.number())
}

impl<A: Actor> IntoFuture for Spawn<A> {
    type Output = Result<ActorRef<A>, SpawnError>;
    type IntoFuture = Spawning<A>;

    fn into_future(self) -> Spawning<A> {
        Spawning(Stage::Begun(self))
    }
}

/// The future of [`Spawn`]. The actor runs, or waits for its turn to run `on_start`, when it is ready.
#[must_use = "nothing is spawned until it is awaited"]
pub struct Spawning<A: Actor>(Stage<A>);

enum Stage<A: Actor> {
    Begun(Spawn<A>),
    /// The cluster decides on its name.
    Naming(Unborn<A>, BoxFuture<'static, Result<(), SpawnError>>),
    Done,
}

impl<A: Actor> Future for Spawning<A> {
    type Output = Result<ActorRef<A>, SpawnError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (unborn, mut claim) = match std::mem::replace(&mut self.0, Stage::Done) {
            Stage::Begun(spawn) => {
                let unborn = spawn.conceive()?;
                match unborn.claim() {
                    None => return Poll::Ready(Ok(unborn.start())),
                    Some(claim) => (unborn, claim),
                }
            }
            Stage::Naming(unborn, claim) => (unborn, claim),
            Stage::Done => return Poll::Pending,
        };
        match claim.as_mut().poll(cx)? {
            Poll::Ready(()) => Poll::Ready(Ok(unborn.start())),
            Poll::Pending => {
                self.0 = Stage::Naming(unborn, claim);
                Poll::Pending
            }
        }
    }
}

impl<A: Actor> Unpin for Spawning<A> {}
