//! Snapshots that outlive the process, where the log does.

use std::io;

use tokio::sync::oneshot;

use super::replica::{Moment, Saving};
use super::types::{SnapshotMeta, position};
use crate::codec;
use crate::raft::MachineSnapshot;
use crate::storage::{SnapshotStore, StoredSnapshot};

/// Hands the state of a group to its store. Until it is [done] the log may not be purged.
pub(super) fn begin(store: &dyn SnapshotStore, meta: &SnapshotMeta, snapshot: MachineSnapshot) -> io::Result<Saving> {
    let through = meta.last_log_id.as_ref().map(position).unwrap_or_default();
    let encoded = codec::encode(meta).map_err(io::Error::other)?.into();
    let (tell, saving) = oneshot::channel();
    let stored = StoredSnapshot { through, meta: encoded, head: snapshot.head };
    store.save(stored, snapshot.rows, Box::new(move |result| drop(tell.send(result))))?;
    Ok(saving)
}

/// Waits until it is durable.
pub(super) async fn done(saving: Saving) -> io::Result<()> {
    saving.await.map_err(|_| io::Error::other("the store dropped what it was to save"))?
}

/// The state that was saved last.
pub(super) fn load(store: &dyn SnapshotStore) -> io::Result<Option<Moment>> {
    let Some((snapshot, rows)) = store.load()? else { return Ok(None) };
    let meta = codec::decode(&snapshot.meta).map_err(io::Error::other)?;
    Ok(Some(Moment { meta, head: snapshot.head, rows: Some(rows) }))
}
