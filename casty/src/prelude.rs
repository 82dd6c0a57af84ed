//! What most programs need: `use casty::prelude::*;`.

pub use crate::actor::{
    Actor, ActorRef, ActorSystem, AskError, Ctx, Directive, EventSourced, Failure, Handles, Message, Recipient,
    Restarts, SendError, StopReason, Strategy, Target, Terminated,
};
pub use crate::base::{BoxError, EntityId};
pub use crate::cluster::Tls;
pub use crate::node::{ClusterConfig, Node, Replication};
pub use crate::sharding::{EntityRef, Sharded};
pub use crate::{actor, handler, message, persistent};
