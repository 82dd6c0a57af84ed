//! What every other module stands on: identifiers, the stable hash, backoff. It knows nothing of actors or networks.

mod backoff;
mod hash;
mod ids;
mod request;

pub use backoff::Backoff;
pub use hash::{StableHasher, StableMap, stable_hash, stable_hash_parts};
pub use ids::{EntityId, GroupId, NodeId, NodeKey};
pub use request::{RequestId, SessionId};

/// An error of the user's, of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
