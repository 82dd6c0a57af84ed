//! Actors on one node: references, mailboxes, the loop that runs them, and the system that holds them.

#[expect(clippy::module_inception, reason = "the trait `Actor` stands in a file of its name")]
mod actor;
pub mod entity;
pub mod generated;
mod message;
pub mod registration;

pub use actor::{Access, Actor, Directive, Failure, FromId, Handles, Persistent, SentTo};
pub use message::{Message, WireMessage, WireReply};
pub use registration::{Registered, RegistryError};
