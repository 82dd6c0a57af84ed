//! Actors on one node: references, mailboxes, the loop that runs them, and the system that holds them.
//!
//! For everyone who writes actors: the traits that the macros implement ([`Actor`], [`Handles`], [`Persistent`]), what a
//! handler gets ([`Ctx`]), and what a caller holds ([`ActorRef`], [`Recipient`], [`Request`]). The submodules are what
//! generated code and the layers above stand on; programs need them rarely.

#[expect(clippy::module_inception, reason = "the trait `Actor` stands in a file of its name")]
mod actor;
mod actor_type;
mod builder;
mod cell;
mod context;
mod cycles;
mod dead_letters;
mod directory;
pub mod entity;
mod env;
pub(crate) mod error;
pub mod generated;
#[cfg(feature = "testkit")]
pub(crate) mod inspect;
mod life;
pub(crate) mod mailbox;
mod message;
mod meters;
mod pool;
mod recipient;
mod recycle;
mod reference;
pub mod registration;
pub mod remote;
pub mod reply;
mod request;
mod route;
pub mod scope;
mod send;
mod shutdown;
mod spawn;
mod stash;
pub mod state;
mod supervision;
mod system;
mod target;
mod timers;
mod topic;
mod watch;

#[cfg(test)]
mod tests;

pub use actor::{Access, Actor, FromId, Handles, Persistent, SentTo, WatchesOthers};
pub use builder::SystemBuilder;
pub use cell::Local;
pub use context::{Ctx, WatchError};
pub use dead_letters::{DeadLetter, DeadLetters, DeadReason};
pub use env::{ASK_TIMEOUT, Env};
pub use error::{AskError, AskFailure, LookupError, SendError, SpawnError, TopicError};
pub use mailbox::{MAILBOX_CAPACITY, Overflow};
pub use message::{Message, WireMessage, WireReply};
pub use pool::{Pool, PoolTarget, Routing, SpawnPool, SpawningPool};
pub use recipient::Recipient;
pub use reference::ActorRef;
pub use registration::{Registered, RegistryError};
pub use reply::{Port, ReplyStream, StreamError, StreamSendError, StreamSender};
pub use request::Request;
pub use route::{Route, Routed};
pub use send::SendRequest;
pub(crate) use shutdown::when_told_to_end;
pub use shutdown::{DRAIN_LIMIT, Shutdown, ShutdownReport};
pub use spawn::{Spawn, Spawning};
pub use state::{
    Emits, EventSourced, EventsOf, FieldOf, Layout, Migration, OldState, Saver, State, StateError, StateMismatch,
};
pub use supervision::{Directive, Failure, Restarts, Strategy};
pub use system::ActorSystem;
pub use target::{ActorTarget, Ended, Rejected, RemoteTarget, Target};
pub use timers::Timer;
pub use topic::Topic;
pub use watch::{ActorId, StopReason, Terminated};
