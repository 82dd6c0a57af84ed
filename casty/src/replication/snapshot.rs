//! What a group's table has beside its rows, as bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{GroupState, SessionTable, dedup};
use crate::base::BoxError;
use crate::codec::{decode, encode};
use crate::storage::StagedRows;

#[derive(Serialize, Deserialize)]
struct Head {
    applied: u64,
    sessions: dedup::Parts,
}

/// The answers given, and how far the table is.
pub(super) fn encode_head(state: &GroupState) -> Result<Bytes, BoxError> {
    Ok(encode(&Head { applied: state.applied, sessions: state.sessions.to_parts() })?.into())
}

/// Replaces the table. The head is read whole before anything is replaced.
pub(super) fn restore(state: &mut GroupState, head: &[u8], rows: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
    let head: Head = decode(head)?;
    if let Some(rows) = rows {
        rows.adopt()?;
    }
    state.applied = head.applied;
    state.sessions = SessionTable::from_parts(head.sessions);
    Ok(())
}
