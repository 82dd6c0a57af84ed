//! Snapshots that outlive the process, where the log does.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::types::{SnapshotMeta, position};
use crate::codec;
use crate::storage::{SnapshotStore, StoredSnapshot, durably};

/// Waits until the state of a group is as durable as its log. Until then the log may not be purged.
pub(super) async fn save(store: &dyn SnapshotStore, meta: &SnapshotMeta, state: Bytes) -> io::Result<()> {
    let Some(last) = &meta.last_log_id else { return Ok(()) };
    let encoded = codec::encode(meta).map_err(io::Error::other)?.into();
    let snapshot = StoredSnapshot { through: position(last), meta: encoded, state };
    durably(|done| store.save(snapshot, done)).await
}

/// The state that was saved last.
pub(super) fn load(store: &Arc<dyn SnapshotStore>) -> io::Result<Option<(SnapshotMeta, Bytes)>> {
    let Some(snapshot) = store.load()? else { return Ok(None) };
    let meta = codec::decode(&snapshot.meta).map_err(io::Error::other)?;
    Ok(Some((meta, snapshot.state)))
}
