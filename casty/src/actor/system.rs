//! The actors of one process, and how they end together.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::actor_type::ActorTypes;
use super::cell::{AnyCell, Cell};
use super::dead_letters::DeadLetters;
use super::directory::{Admission, Directory};
use super::error::{LookupError, SpawnError, TopicError};
use super::registration::Registry;
use super::topic::{Topic, Topics};
use super::{Actor, ActorRef, Env, Message, RegistryError, Shutdown, ShutdownReport, Spawn, SpawnPool, SystemBuilder};

/// A system of actors in this process. Clones are the same system; when the last one is dropped, its actors stop.
#[derive(Clone)]
pub struct ActorSystem {
    shared: Arc<Shared>,
    /// Not held by the system's own actors.
    _life: Option<Arc<Life>>,
}

/// What the system and its actors share.
pub(super) struct Shared {
    env: Arc<Env>,
    directory: Directory,
    registry: Result<Registry, RegistryError>,
    topics: Mutex<Topics>,
    types: ActorTypes,
    mailbox_capacity: usize,
    shutdown: Shutdown,
}

impl ActorSystem {
    /// A system with default settings. It needs a tokio runtime only where actors are spawned.
    pub fn new(name: impl Into<String>) -> Self {
        Self::builder(name).build()
    }

    /// A system with settings of its own.
    pub fn builder(name: impl Into<String>) -> SystemBuilder {
        SystemBuilder::new(name.into())
    }

    pub(super) fn with(env: Arc<Env>, mailbox_capacity: usize, shutdown: Shutdown, first_number: u64) -> Self {
        let registry = Registry::load();
        if let Err(error) = &registry {
            tracing::error!(system = env.system(), %error, "no actor can be spawned");
        }
        let shared = Arc::new(Shared {
            env,
            directory: Directory::counting_from(first_number),
            registry,
            topics: Mutex::default(),
            types: ActorTypes::default(),
            mailbox_capacity,
            shutdown,
        });
        Self { _life: Some(Arc::new(Life(Arc::clone(&shared)))), shared }
    }

    /// The name of the system.
    pub fn name(&self) -> &str {
        self.shared.env.system()
    }

    /// Spawns an actor. Await what it returns; before that, the actor can be given a name or a larger mailbox.
    pub fn spawn<A: Actor>(&self, actor: A) -> Spawn<A> {
        Spawn::value(Arc::clone(&self.shared), actor, self.shared.mailbox_capacity)
    }

    /// Spawns an actor that can be made anew when it fails; [`Spawn::restarts`] says how often.
    ///
    /// `make` is called for every instance. A restart keeps the references to the actor, its name, those who watch it,
    /// and the messages that wait in its mailbox; the one that failed is gone.
    pub fn spawn_with<A: Actor>(&self, make: impl FnMut() -> A + Send + 'static) -> Spawn<A> {
        Spawn::with(Arc::clone(&self.shared), Box::new(make), self.shared.mailbox_capacity)
    }

    /// An actor about to be spawned whose messages a test gets.
    #[cfg(feature = "testkit")]
    pub(super) fn spawn_stand_in<A: Actor>(&self, inbox: tokio::sync::mpsc::UnboundedSender<A::Msg>) -> Spawn<A> {
        Spawn::stand_in(Arc::clone(&self.shared), inbox, self.shared.mailbox_capacity)
    }

    /// Spawns `size` actors behind one reference, each made by `make`. Await what it returns; before that, say which of them
    /// gets a message.
    ///
    /// ```
    /// # use casty::prelude::*;
    /// # use casty::Routing;
    /// # struct Resizer;
    /// # #[actor(local)] impl Resizer { #[message] fn resize(&mut self, bytes: Vec<u8>) -> usize { bytes.len() / 2 } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let system = ActorSystem::new("images");
    /// let resizers = system.pool(4, || Resizer).routing(Routing::least_loaded()).await?;
    /// assert_eq!(resizers.resize(vec![0; 10]).await?, 5);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pool<A: Actor>(&self, size: usize, make: impl Fn() -> A + Send + Sync + 'static) -> SpawnPool<A> {
        SpawnPool::new(self.inner(), size, Arc::new(make))
    }

    /// The living actor of this name.
    pub fn lookup<A: Actor>(&self, name: &str) -> Result<ActorRef<A>, LookupError> {
        let missing = || LookupError::NotFound { name: name.to_owned(), system: self.name().to_owned() };
        let cell = self.shared.directory.named(name).ok_or_else(missing)?;
        let found = cell.actor().to_owned();
        let wrong = |()| LookupError::WrongType { name: name.to_owned(), expected: A::NAME, found };
        typed(cell).map_err(wrong)?.revive().map(ActorRef::local).ok_or_else(missing)
    }

    /// The living actor that is found by its type: it was spawned with [`Spawn::unique`].
    ///
    /// ```
    /// # use casty::prelude::*;
    /// # struct Mailer;
    /// # #[actor(local)] impl Mailer { #[message] fn mail(&mut self, to: String) -> bool { !to.is_empty() } }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let system = ActorSystem::new("shop");
    /// let _mailer = system.spawn(Mailer).unique().await?;
    /// // Elsewhere, with nothing but the system at hand:
    /// assert!(system.unique::<Mailer>()?.mail("alice".to_owned()).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn unique<A: Actor>(&self) -> Result<ActorRef<A>, LookupError> {
        let missing = || LookupError::NotUnique { actor: A::NAME, system: self.name().to_owned() };
        let cell = self.shared.directory.unique(TypeId::of::<A>()).and_then(|cell| typed::<A>(cell).ok());
        cell.and_then(|cell| cell.revive()).map(ActorRef::local).ok_or_else(missing)
    }

    /// The topic of this name, on which messages of type `M` are published to the actors of this system.
    ///
    /// ```
    /// # use casty::prelude::*;
    /// #[message]
    /// #[derive(Clone)]
    /// struct Price(u64);
    ///
    /// struct Display(u64);
    ///
    /// #[actor]
    /// impl Display {
    ///     #[handler]
    ///     fn price(&mut self, Price(price): Price) {
    ///         self.0 = price;
    ///     }
    ///     #[message]
    ///     fn shown(&self) -> u64 {
    ///         self.0
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let system = ActorSystem::new("prices");
    /// let display = system.spawn(Display(0)).await?;
    /// let prices = system.topic::<Price>("prices")?;
    /// prices.subscribe(&display);
    /// assert_eq!(prices.publish(Price(7)), 1);
    /// assert_eq!(display.shown().await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn topic<M: Message + Clone>(&self, name: &str) -> Result<Topic<M>, TopicError> {
        self.shared.topics.lock().get(name)
    }

    /// Messages that nobody handled.
    pub fn dead_letters(&self) -> &DeadLetters {
        self.shared.env.dead_letters()
    }

    /// Ends the system as its settings say: every actor handles what is queued and runs `on_stop`, phase by phase and within
    /// the time of each; nothing but children is spawned any more. [`Shutdown`] has the whole of it.
    ///
    /// It goes on if the future is dropped. A handler that awaits it is itself late, and is dropped when its time is over:
    /// have it spawned as a task there. Needs a tokio runtime with a timer.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.shutdown_with(&self.shared.shutdown).await
    }

    /// Ends the system in another way than its settings say.
    pub async fn shutdown_with(&self, how: &Shutdown) -> ShutdownReport {
        let (how, shared) = (how.clone(), Arc::clone(&self.shared));
        // An error: the runtime ends, and its actors with it.
        tokio::spawn(async move { how.run(&shared).await }).await.unwrap_or_default()
    }

    /// What all references of the system share.
    /// From where what others know by a number is counted.
    pub(crate) fn first_number(&self) -> u64 {
        self.shared.directory.first()
    }

    pub(crate) fn env(&self) -> &Arc<Env> {
        &self.shared.env
    }

    /// The program's actor types, or why they cannot be used.
    pub(crate) fn registry(&self) -> Result<&Registry, RegistryError> {
        self.shared.registry.as_ref().map_err(RegistryError::clone)
    }

    /// The same system, without keeping its actors from stopping when everybody else has dropped it.
    pub(crate) fn inner(&self) -> Self {
        Self::inside(&self.shared)
    }

    pub(super) fn inside(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), _life: None }
    }
}

impl Shared {
    #[inline]
    pub(super) fn env(&self) -> &Env {
        &self.env
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    pub(super) fn types(&self) -> &ActorTypes {
        &self.types
    }

    pub(super) fn registry(&self) -> Result<&Registry, SpawnError> {
        self.registry.as_ref().map_err(|error| SpawnError::Registry(error.clone()))
    }
}

impl fmt::Debug for ActorSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActorSystem").field(&self.name()).finish()
    }
}

/// The cell as one of an `A`.
fn typed<A: Actor>(cell: Arc<dyn AnyCell>) -> Result<Arc<Cell<A>>, ()> {
    let cell: Arc<dyn Any + Send + Sync> = cell;
    cell.downcast().map_err(drop)
}

/// Dropped with the last clone of the system.
struct Life(Arc<Shared>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.directory.admit(Admission::Nobody);
        self.0.directory.all().iter().for_each(|cell| cell.stop());
    }
}
