//! A group's table as bytes.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{GroupState, SessionTable, dedup};
use crate::base::BoxError;
use crate::codec::{decode_prefix, encode_into};
use crate::storage::Change;

#[derive(Serialize, Deserialize)]
struct Header {
    applied: u64,
    rows: u64,
    sessions: dedup::Parts,
}

/// A row that was copied out of the table: its key, and what it holds.
type OwnedRow = (Box<[u8]>, Box<[u8]>);

/// The table as bytes: sessions, then every row, in the order of their keys.
pub(super) fn encode(state: &GroupState) -> Result<Bytes, BoxError> {
    let mut rows: Vec<OwnedRow> = Vec::new();
    state.rows.for_each(&mut |key, value| rows.push((key.into(), value.into())))?;
    rows.sort();
    let mut out = Vec::new();
    encode_into(
        &Header { applied: state.applied, rows: rows.len() as u64, sessions: state.sessions.to_parts() },
        &mut out,
    )?;
    for (key, value) in &rows {
        encode_into(&(&**key, &**value), &mut out)?;
    }
    Ok(out.into())
}

/// Replaces the table with what `bytes` hold. They are read whole before anything is replaced.
pub(super) fn restore(state: &mut GroupState, bytes: &[u8]) -> Result<(), BoxError> {
    let (header, mut at): (Header, usize) = decode_prefix(bytes)?;
    let mut rows: Vec<(&[u8], &[u8])> = Vec::new();
    for _ in 0..header.rows {
        let (row, used) = decode_prefix(&bytes[at..])?;
        rows.push(row);
        at += used;
    }
    if at != bytes.len() {
        return Err(format!("the snapshot of a group ends after {at} of {} bytes", bytes.len()).into());
    }
    state.rows.clear()?;
    let changes: Vec<_> = rows.into_iter().map(|(key, value)| Change::Put(key, value)).collect();
    state.rows.write(&changes)?;
    state.applied = header.applied;
    state.sessions = SessionTable::from_parts(header.sessions);
    Ok(())
}
