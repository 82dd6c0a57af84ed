//! The replicated state of entities: what a log entry of a data group says, and what applying it changes.
//!
//! A log entry is a batch of [records](Record). Applying is a pure function of the [table](GroupState) and the entry, so
//! every replica holds the same rows and the same replies.

mod dedup;
mod outside;
mod record;
mod row;
mod snapshot;
mod state;

pub(crate) use dedup::{Kept, Recorded, SessionTable};
pub(crate) use outside::OutsideRow;
#[cfg(feature = "sim")]
pub(crate) use record::{Command, decode_command};
pub(crate) use record::{Record, Reply, encode_batch_header, encode_expire};
pub(crate) use row::{LookedInto, Row, look_into};
pub(crate) use state::{GroupState, SharedState};
