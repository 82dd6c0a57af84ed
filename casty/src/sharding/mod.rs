//! Entities: one live instance each, found from any node, on state that a quorum holds.
//!
//! For everyone who uses a cluster: [`Sharded`] and [`EntityRef`] are what a program holds. [`shard_of`] and [`slot_of`]
//! tell where an entity is kept.
//!
//! A request goes from an [`EntityRef`] through the router of its node to the region on the leader of the entity's
//! group. The region runs the entity's cell, has the group commit what the handler did, and only then answers.

mod acknowledge;
pub(crate) mod allocation;
mod call;
mod entities;
mod error;
mod handle;
mod kinds;
mod origins;
mod outside;
mod post;
mod protocol;
pub(crate) mod region;
mod router;
mod settings;
mod shard;

pub use acknowledge::Acknowledge;
pub use call::{AskEntity, SendEntity};
pub(crate) use entities::EntityTypes;
pub use error::ShardingError;
pub use handle::{EntityRef, Sharded};
pub(crate) use kinds::{Declaration, ENTITY_TYPES_MAX, Kinds};
pub(crate) use origins::Origins;
pub(crate) use outside::OutsideStore;
pub(crate) use post::Post;
pub(crate) use protocol::{Announcement, Leading, decode_to_region, decode_to_router};
#[cfg(feature = "sim")]
pub(crate) use protocol::{Call, Outcome, Request, ToRegion, ToRouter, encode_to_router};
pub(crate) use region::{Expiry, LiveEntities, Region, Regions};
pub(crate) use router::{Router, RouterSettings};
pub(crate) use settings::Said;
pub use shard::{GROUPS_PER_NODE, SLOTS, shard_of, slot_of};
