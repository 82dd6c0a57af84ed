//! Names of actors: given by the meta group, looked up in the node's own copy.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::inner::Inner;
use super::meta::{Command, Verdict};
use crate::actor::remote::{Address, Addressed, Naming};
use crate::actor::{ActorRef, LookupError, SpawnError};
use crate::base::NodeId;
use crate::codec::{decode, encode};

/// How long a name that is free again is tried to be given back. After that it is free when its node goes.
const RELEASE_MAX: Duration = Duration::from_secs(60);

/// The names that the cluster has given, as far as this node has heard.
pub(super) struct Names {
    given: RwLock<BTreeMap<Arc<str>, Address>>,
    changed: watch::Sender<()>,
}

impl Default for Names {
    fn default() -> Self {
        Self { given: RwLock::default(), changed: watch::Sender::new(()) }
    }
}

impl Names {
    /// A name was given, or is free.
    pub(super) fn set(&self, name: Arc<str>, address: Option<Address>) {
        let mut given = self.given.write();
        match address {
            Some(address) => given.insert(name, address),
            None => given.remove(&name),
        };
        drop(given);
        self.changed.send_replace(());
    }

    /// These names are given and no others.
    pub(super) fn replace(&self, names: impl IntoIterator<Item = (Arc<str>, Address)>) {
        *self.given.write() = names.into_iter().collect();
        self.changed.send_replace(());
    }

    /// Changes with every name that is given or free.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Who has a name.
    pub(super) fn get(&self, name: &str) -> Option<Address> {
        self.given.read().get(name).cloned()
    }
}

/// The node's part in giving names. It holds the node weakly, since its system's references lead to it.
pub(super) struct NodeNaming(pub(super) Weak<Inner>);

impl Naming for NodeNaming {
    fn claim(&self, name: Arc<str>, address: Address) -> BoxFuture<'static, Result<(), SpawnError>> {
        let Some(inner) = self.0.upgrade() else {
            let system = "the node".to_owned();
            return std::future::ready(Err(SpawnError::ShutDown { system })).boxed();
        };
        let (tell, told) = oneshot::channel();
        let (claimed, after) = (name.clone(), inner.system.env().ask_timeout());
        // A task of its own: a proposal that is not waited for may still be decided.
        inner.clone().spawn(async move {
            let register = Command::Register { name: name.clone(), address: address.clone() };
            let deadline = Instant::now() + after;
            // The name may be that of an actor of this node's last process.
            let _ = timeout_at(deadline, inner.free_what_was_before()).await;
            let verdict = match inner.agree(&register, deadline).await {
                Some(Verdict::Agreed) => Ok(()),
                Some(Verdict::Taken { node }) => {
                    Err(SpawnError::NameTakenElsewhere { name: name.to_string(), node: node.to_string() })
                }
                _ => Err(SpawnError::NameUnavailable { name: name.to_string(), after }),
            };
            let unwanted = !matches!(verdict, Err(SpawnError::NameTakenElsewhere { .. }));
            if tell.send(verdict).is_err() && unwanted {
                inner.release_name(&name, address.number).await;
            }
        });
        let gone = move |_| SpawnError::NameUnavailable { name: claimed.to_string(), after };
        async move { told.await.unwrap_or_else(|error| Err(gone(error))) }.boxed()
    }

    fn release(&self, name: &Arc<str>, number: u64) {
        if let Some(inner) = self.0.upgrade() {
            let name = name.clone();
            let of = inner.clone();
            inner.spawn(async move { of.release_name(&name, number).await });
        }
    }
}

impl Inner {
    async fn release_name(&self, name: &Arc<str>, number: u64) {
        let release = Command::Unregister { name: name.clone(), node: self.me, number };
        if self.agree(&release, Instant::now() + RELEASE_MAX).await.is_none() {
            tracing::warn!(%name, "the name of an actor that has stopped could not be given back");
        }
    }
}

/// A look-up by name; made by [`Node::lookup`](super::Node::lookup). Await it.
#[must_use = "nothing is looked up until it is awaited"]
pub struct Lookup<A> {
    inner: Arc<Inner>,
    name: String,
    within: Duration,
    actor: PhantomData<fn() -> A>,
}

impl<A: Addressed> Lookup<A> {
    pub(super) fn new(inner: Arc<Inner>, name: String) -> Self {
        let within = inner.system.env().ask_timeout();
        Self { inner, name, within, actor: PhantomData }
    }

    /// How long to wait for a name that is not there yet: zero looks once. Default: as long as an ask.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    async fn find(self) -> Result<ActorRef<A>, LookupError> {
        let deadline = Instant::now() + self.within;
        let mut changed = self.inner.names.subscribe();
        loop {
            changed.borrow_and_update();
            match self.look() {
                Err(LookupError::NotFound { .. }) => {}
                found => return found,
            }
            if !matches!(timeout_at(deadline, changed.changed()).await, Ok(Ok(()))) {
                return self.look();
            }
        }
    }

    /// Looks once: among the actors of this node, which may have names that are theirs alone, and then in the cluster.
    fn look(&self) -> Result<ActorRef<A>, LookupError> {
        let (name, system) = (self.name.as_str(), &self.inner.system);
        match system.lookup(name) {
            Err(LookupError::NotFound { .. }) => {}
            found => return found,
        }
        let missing = || LookupError::NotFound { name: name.to_owned(), system: system.name().to_owned() };
        let address = self.inner.names.get(name).filter(|address| address.node != self.inner.me).ok_or_else(missing)?;
        if *address.actor != *A::NAME {
            let found = address.actor.to_string();
            return Err(LookupError::WrongType { name: name.to_owned(), expected: A::NAME, found });
        }
        let _inside = system.env().enter();
        let reference = encode(&address).ok().and_then(|address| decode(&address).ok());
        reference.ok_or_else(missing)
    }
}

impl<A: Addressed> IntoFuture for Lookup<A> {
    type Output = Result<ActorRef<A>, LookupError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.find())
    }
}

/// Who has a name, as that changes; made by [`Node::watch_name`](super::Node::watch_name).
pub struct NameWatch {
    inner: Arc<Inner>,
    name: String,
    changed: watch::Receiver<()>,
    told: Option<Address>,
}

impl NameWatch {
    pub(super) fn new(inner: Arc<Inner>, name: String) -> Self {
        let changed = inner.names.subscribe();
        let told = inner.names.get(&name);
        Self { inner, name, changed, told }
    }

    /// The node whose actor has the name; `None` while it is free.
    pub fn node(&self) -> Option<NodeId> {
        let address = self.told.as_ref()?;
        self.inner.topology()?.nodes().get(&address.node).map(|entry| entry.id.clone())
    }

    /// Waits until another actor has the name than before, or none, and gives its node. An actor that takes the place of another
    /// on the same node is a change too. Dropping the future loses nothing.
    pub async fn changed(&mut self) -> Option<NodeId> {
        loop {
            self.changed.borrow_and_update();
            let now = self.inner.names.get(&self.name);
            if now != self.told {
                self.told = now;
                return self.node();
            }
            // The sender lives as long as the node.
            if self.changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl fmt::Debug for NameWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameWatch").field("name", &self.name).field("node", &self.node()).finish()
    }
}
