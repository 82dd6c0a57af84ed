//! Starting a singleton: an entity type with one entity, which runs without being called.

use std::marker::PhantomData;
use std::sync::Arc;

use super::inner::Inner;
use crate::actor::{FromId, Registered};
use crate::sharding::{Acknowledge, Declaration, EntityRef, Said, Sharded, ShardingError};

/// A singleton about to be started; made by [`Node::singleton`](super::Node::singleton).
#[must_use = "nothing is started until `.start()` is awaited"]
pub struct StartSingleton<A> {
    inner: Arc<Inner>,
    name: String,
    said: Said,
    store: Option<String>,
    actor: PhantomData<fn() -> A>,
}

// As with `StartSharded`, `Node::singleton` alone asks for what a singleton needs.
impl<A: Registered + FromId> StartSingleton<A> {
    pub(super) fn new(inner: Arc<Inner>, name: String) -> Self {
        Self { inner, name, said: Said::default(), store: None, actor: PhantomData }
    }

    /// When requests that change it are answered, as with [`StartSharded::acknowledge`](super::StartSharded::acknowledge).
    pub fn acknowledge(mut self, acknowledge: Acknowledge) -> Self {
        self.said.acknowledge = Some(acknowledge);
        self
    }

    /// Keeps its state in a store outside of the cluster, as [`StartSharded::stored_in`](super::StartSharded::stored_in) does.
    pub fn stored_in(mut self, store: impl Into<String>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Declares the singleton in the whole cluster, waits until the cluster has agreed, and gives the way to it.
    ///
    /// Every node may start it; there is one instance all the same. It runs on the node that leads its group, from there
    /// on, whether or not it is called. When that node dies or leaves, another one takes over.
    pub async fn start(self) -> Result<EntityRef<A>, ShardingError> {
        let Self { inner, name, said, store, .. } = self;
        let (actor, state) = (A::NAME.to_owned(), Vec::new());
        let declaration = Declaration { name, actor, shards: 1, single: true, store, state };
        inner.declare(&declaration, said).await?;
        Ok(Sharded::<A>::new(inner.router.clone(), &declaration.name, 1).entity(declaration.name))
    }
}
