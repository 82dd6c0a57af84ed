//! What every other module stands on: identifiers, the stable hash, backoff. It knows nothing of actors or networks.
//!
//! For everyone: [`EntityId`], [`NodeId`] and [`GroupId`] appear in the API. The hash is for who has to compute where casty
//! places an entity.

mod backoff;
mod hash;
mod ids;
mod patience;
mod request;
mod rng;

pub use backoff::Backoff;
pub use hash::{StableHasher, StableMap, stable_hash, stable_hash_parts};
pub use ids::{EntityId, GroupId, NodeId, NodeKey};
pub(crate) use patience::{Over, Patience};
pub use request::{RequestId, SessionId};
pub(crate) use rng::ThreadRng;

/// An error of the user's, of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
