//! References to entities inside messages: the way to an entity, as a node knows it.

use std::sync::Arc;

use super::exchange;
use crate::actor::Route;
use crate::base::EntityId;

/// The entities of a cluster, as one of its nodes finds them.
pub trait Entities: Send + Sync + 'static {
    /// The way to an entity, of a type whose actor is `actor`.
    fn route(&self, entity_type: &str, actor: &str, id: &EntityId) -> Result<Arc<dyn Route>, NoEntity>;
}

/// Why a reference to an entity cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoEntity {
    /// It is read by nobody who has a cluster.
    #[error("a reference to an entity can be read on behalf of a node only: not here")]
    NoNode,
    /// The node knows of no such entity type.
    #[error("this node knows no entity type `{entity_type}`: start it with `node.sharded(..)`, and send again")]
    Undeclared {
        /// The name of the type.
        entity_type: String,
    },
    /// The entities of the type are other actors.
    #[error("the entities of `{entity_type}` are `{found}`, and none of them is `{expected}`")]
    OtherActor {
        /// The name of the type.
        entity_type: String,
        /// The wire name of the actor that the reference is to be to.
        expected: String,
        /// The wire name of the actor behind the type.
        found: String,
    },
}

/// The way to an entity, seen from the node on whose behalf this thread decodes.
pub(crate) fn entity(entity_type: &str, actor: &str, id: &EntityId) -> Result<Arc<dyn Route>, NoEntity> {
    let entities = exchange::current().and_then(|exchange| exchange.entities()).ok_or(NoEntity::NoNode)?;
    entities.route(entity_type, actor, id)
}
