//! What most programs need: `use casty::prelude::*;`.

pub use crate::actor::{
    Actor, ActorRef, ActorSystem, AskError, Ctx, Directive, Failure, Handles, Message, Recipient, SendError, Target,
};
pub use crate::base::{BoxError, EntityId};
pub use crate::node::{ClusterConfig, Node};
pub use crate::sharding::{EntityRef, Sharded};
pub use crate::{actor, message, persistent};
