//! What an actor needs to be reached from other nodes: an address that can be written into messages, and the entrance for
//! messages that come as bytes. The network is in `crate::remote`, which is given to a system as its [`Exchange`].

mod address;
mod entities;
mod exchange;
mod exported;
mod far;
mod flow;
mod home;
mod naming;
mod relay;
mod sender;
mod spawned;
mod topic_error;
mod untold;
mod wire;

pub use self::address::Address;
pub(crate) use self::entities::entity;
pub use self::entities::{Entities, NoEntity};
pub(super) use self::exchange::Entered;
pub(super) use self::exchange::Leaving;
pub use self::exchange::{Exchange, TooManyExported, TooManyLinks};
pub use self::exported::{Destination, Exported, Of, Parcel, RemoteType, Unread};
pub(super) use self::far::Far;
pub(super) use self::flow::Inflow;
pub use self::flow::{Flowing, Outflow, STREAM_WINDOW, TooManyStreams};
pub use self::naming::Naming;
pub(crate) use self::sender::Sender;
pub use self::spawned::{MadeOf, NotSpawned, NotSpawnedHere, SpawnArgs, SpawnOf, SpawnProbe, SpawnType};
pub use self::topic_error::ClusterTopicError;
pub use self::untold::Untold;
pub(super) use self::untold::tell_any;
pub use self::wire::Addressed;

/// The most messages of one node that are on their way to one actor of another: a sender waits for the mailbox of the actor
/// and not only for the network.
pub const WINDOW: u64 = 1024;
