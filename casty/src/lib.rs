#![doc = include_str!("docs/front.md")]
#![doc = ""]
#![doc = include_str!("docs/cluster.md")]
#![doc = ""]
#![doc = include_str!("docs/state.md")]
#![doc = ""]
#![doc = include_str!("docs/logging.md")]

// Generated code names the crate from outside; the actors of the test kit stand inside.
#[cfg(feature = "sim")]
extern crate self as casty;

#[doc(hidden)]
pub mod __private;
pub mod actor;
pub mod base;
mod client;
pub mod cluster;
pub mod codec;
pub mod contract;
mod node;
pub mod prelude;
pub mod raft;
mod remote;
mod replication;
pub mod sharding;
pub mod storage;
#[cfg(feature = "testkit")]
pub mod testkit;
mod wire;

pub use actor::{
    ActorId, ActorRef, ActorSystem, AskError, Ctx, DeadLetter, Directive, Failure, LookupError, Overflow, Pool,
    Recipient, ReplyStream, Restarts, Routing, SendError, Shutdown, ShutdownReport, SpawnError, StopReason, Strategy,
    StreamError, StreamSender, Terminated, Timer, Topic,
};
pub use base::{BoxError, EntityId, GroupId, NodeId};
pub use client::{Client, ClientConfig, ConnectError, Find, FindError};
pub use cluster::{Compression, Tls};
pub use node::{
    ApplyError, ClusterConfig, ClusterEvent, ClusterTopic, ConfigError, GroupPlacement, InspectedEntity,
    InspectedGroup, Inspection, LeaveError, Lookup, NameWatch, Node, NotReady, Reached, RecoverError, RecoveredGroup,
    Recovery, Replicate, ReplicateError, Replicated, Replication, SpawnOnError, StartError, StartSharded,
    StartSingleton, StateMachine, inspect, recover,
};
pub use sharding::{Acknowledge, EntityRef, Sharded, ShardingError};

pub use storage::{BackupError, Fsync};

pub use casty_macros::{actor, handler, message, persistent};

/// Compiles and runs the program in the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
