//! Actors of other nodes: the way of messages to them and of their replies back, which actors of this node others can call,
//! and who is told of an end.
//!
//! A message travels as [`protocol`] says. It leaves through the [`channel`] to its actor, and an ask waits in [`asks`]; on
//! the other side the [`exports`] know whom it is for, and its reply goes back through [`answers`]. [`streams`] are replies of
//! many items, and [`watches`] are for ends; [`spawning`] and [`topics`] say what they are.
//! The [`Hub`] holds these together for one node.

mod answers;
mod asks;
mod channel;
mod exports;
mod hub;
mod linked;
mod links;
pub(crate) mod protocol;
mod spawning;
mod streams;
mod topics;
mod watches;

pub(crate) use self::hub::Hub;
pub(crate) use self::links::{Links, Room};
pub(crate) use self::spawning::{Refusal, spawn_on};
pub(crate) use self::topics::Shared as SharedTopic;
