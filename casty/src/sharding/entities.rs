//! References to entities inside messages and persistent fields.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::handle::{EntityPath, EntityRef};
use super::{Kinds, Router};
use crate::actor::remote::{Entities, NoEntity, entity};
use crate::actor::{Registered, Route};
use crate::base::EntityId;

/// The way from a node to entities of all types that it knows.
pub(crate) struct EntityTypes {
    router: Arc<Router>,
    kinds: Kinds,
}

impl EntityTypes {
    /// Entities of these kinds, by way of `router`.
    pub(crate) fn new(router: Arc<Router>, kinds: Kinds) -> Self {
        Self { router, kinds }
    }
}

impl Entities for EntityTypes {
    fn route(&self, entity_type: &str, actor: &str, id: &EntityId) -> Result<Arc<dyn Route>, NoEntity> {
        let declaration = self.kinds.find(entity_type, actor)?;
        Ok(Arc::new(EntityPath::new(self.router.clone(), entity_type, declaration.shards, id.clone())))
    }
}

/// A reference as it is written: what it names is the same on every node.
#[derive(Serialize, Deserialize)]
struct Written<T> {
    entity_type: T,
    id: EntityId,
}

/// The name of the entity type, and the id.
impl<A: Registered> Serialize for EntityRef<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { entity_type: &*self.entity_type, id: self.id().clone() }.serialize(serializer)
    }
}

/// A reference that works where it is read. It can be read on behalf of a node only, and by one that knows the entity type.
impl<'de, A: Registered> Deserialize<'de> for EntityRef<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { entity_type, id } = Written::<Arc<str>>::deserialize(deserializer)?;
        let route = entity(&entity_type, A::NAME, &id).map_err(D::Error::custom)?;
        Ok(Self::new(route, entity_type, id))
    }
}
