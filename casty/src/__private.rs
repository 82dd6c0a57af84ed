//! The only surface that generated code may name. Not covered by semantic versioning.

pub use std::convert::Infallible;

pub use inventory;
pub use serde;

pub use crate::actor::generated::{Checked, NotSerde, ReadFuture, WireField, read_handler, write_handler};
pub use crate::actor::registration::{
    MessageOf, NotAnEntity, Origin, Outbound, Probe, Registered, Registration, decode_message, encode_message,
    message_of,
};
pub use crate::actor::remote::{Addressed, MadeOf, NotSpawned, RemoteType, SpawnProbe};
pub use crate::actor::reply::{IntoOutcome, Port};
pub use crate::actor::state::read_event;
pub use crate::actor::{
    Access, Actor, Ctx, Directive, Emits, EventSourced, EventsOf, Failure, FieldOf, FromId, Handles, Layout, Message,
    OldState, Persistent, Request, Saver, StateError, Target, Terminated, WatchesOthers, WireMessage, WireReply,
};
pub use crate::base::{BoxError, EntityId};
pub use crate::codec::{DecodeError, EncodeError, Shape, decode, encode_into, tag_of_version};
