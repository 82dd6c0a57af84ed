//! What a group's table has beside its rows, as bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{GroupState, SessionTable, dedup};
use crate::base::BoxError;
use crate::codec::{decode, encode};
#[cfg(any(test, feature = "sim"))]
use crate::raft::Machine;
use crate::storage::StagedRows;
#[cfg(any(test, feature = "sim"))]
use crate::storage::{FrozenRows, RowBatch};

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

/// The head and the rows of a table that is in memory.
#[cfg(any(test, feature = "sim"))]
pub(crate) fn in_memory(machine: &dyn Machine) -> Result<(Bytes, RowBatch), BoxError> {
    let snapshot = machine.snapshot()?;
    let Some(FrozenRows::Here(mut rows)) = snapshot.rows else { return Err("the rows are not in memory".into()) };
    Ok((snapshot.head, rows.read(usize::MAX)?))
}
