//! The identity of a request to an entity.

use serde::{Deserialize, Serialize};

use super::NodeKey;

/// The requests of one origin to one shard of one entity type: they are numbered, and arrive in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId {
    /// The life of the node that asks.
    pub origin: NodeKey,
    /// The [tag](crate::codec::tag) of the entity type's name.
    pub entity_type: u32,
    /// The shard of the entity.
    pub shard: u32,
}

/// One request. The framework sends it again until it is answered; whoever sees it twice knows it by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId {
    /// The session that it belongs to.
    pub session: SessionId,
    /// Its number there, from 0.
    pub sequence: u64,
}
