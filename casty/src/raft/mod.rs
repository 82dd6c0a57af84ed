//! Consensus: many groups in one host, each with a log, a machine and a leader (Ongaro and Ousterhout, "In Search of
//! an Understandable Consensus Algorithm", 2014). Only the folder `engine` names the library that does it.
//!
//! For those who build on consensus itself: a [`Machine`] is replicated by a [`Group`] of a [`Host`]. Programs see of it only
//! the [`GroupStatus`] that [`Node::groups`](crate::Node::groups) gives.

mod elections;
mod engine;
mod error;
mod group;
mod host;
mod leader;
mod leadership;
mod links;
mod machine;
mod roster;
mod settings;
#[cfg(test)]
mod tests;

#[cfg(feature = "sim")]
pub(crate) use engine::{Envelope, samples};
pub(crate) use engine::{stored_voters, take_over};
pub use error::{NotLeader, ProposeError, RaftError, Refusal};
pub use group::{Group, GroupStatus, ProposalDone, Proposed};
pub use host::Host;
pub use leader::{LeaderId, Leadership};
pub use links::Links;
pub use machine::{Machine, MachineSnapshot};
pub use roster::{Roster, RosterChange};
pub use settings::RaftSettings;

/// The largest command, in bytes. A message that carries it, together with entries before it, must have a place in the
/// consensus lane of a peer, which is twice as large.
pub const COMMAND_BYTES_MAX: usize = 8 << 20;
