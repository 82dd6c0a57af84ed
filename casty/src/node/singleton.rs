//! Starting a singleton: an entity type with one entity, which runs without being called.

use std::marker::PhantomData;
use std::sync::Arc;

use super::inner::Inner;
use crate::actor::{FromId, Registered};
use crate::sharding::{Declaration, EntityRef, Sharded, ShardingError};

/// A singleton about to be started; made by [`Node::singleton`](super::Node::singleton).
#[must_use = "nothing is started until `.start()` is awaited"]
pub struct StartSingleton<A> {
    inner: Arc<Inner>,
    name: String,
    actor: PhantomData<fn() -> A>,
}

// As with `StartSharded`, `Node::singleton` alone asks for what a singleton needs.
impl<A: Registered + FromId> StartSingleton<A> {
    pub(super) fn new(inner: Arc<Inner>, name: String) -> Self {
        Self { inner, name, actor: PhantomData }
    }

    /// Declares the singleton in the whole cluster, waits until the cluster has agreed, and gives the way to it.
    ///
    /// Every node may start it; there is one instance all the same. It runs on the node that leads its group, from there
    /// on, whether or not it is called. When that node dies or leaves, another one takes over.
    pub async fn start(self) -> Result<EntityRef<A>, ShardingError> {
        let Self { inner, name, .. } = self;
        let declaration = Declaration { name, actor: A::NAME.to_owned(), shards: 1, single: true, state: Vec::new() };
        inner.declare(&declaration).await?;
        Ok(Sharded::<A>::new(inner.router.clone(), &declaration.name, 1).entity(declaration.name))
    }
}
