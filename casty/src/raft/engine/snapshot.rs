//! Snapshots on their way between nodes, in chunks that are acknowledged one by one.

use std::time::Duration;

use bytes::Bytes;
use openraft::raft::SnapshotResponse;
use openraft::storage::Snapshot;

use super::machine::SnapshotData;
use super::mesh::{Member, Mesh};
use super::types::{EngineVote, SnapshotMeta, TypeConfig};
use super::wire::{Chunk, Request, Response};
use crate::base::{GroupId, NodeKey};

/// The bytes of a chunk: small enough for a heartbeat to wait behind it.
const CHUNK_BYTES: usize = 512 << 10;
/// How long a chunk may take.
const CHUNK_PATIENCE: Duration = Duration::from_secs(5);
/// How long the follower may take to install a snapshot after the last chunk.
const INSTALL_PATIENCE: Duration = Duration::from_secs(60);

/// A snapshot of which some chunks have come.
pub(super) struct Assembly {
    transfer: u64,
    bytes: Vec<u8>,
}

/// Where a chunk leads to.
enum Step {
    More,
    Whole(Vec<u8>),
    OutOfPlace,
}

impl Mesh {
    /// Sends a snapshot to a follower and waits until it is installed.
    pub(super) async fn send_snapshot(
        &self,
        to: NodeKey,
        group: GroupId,
        vote: EngineVote,
        meta: SnapshotMeta,
        whole: Bytes,
    ) -> Result<SnapshotResponse<TypeConfig>, &'static str> {
        let (transfer, total) = (self.next_id(), whole.len());
        let mut offset = 0;
        loop {
            let end = (offset + CHUNK_BYTES).min(total);
            let bytes = whole.slice(offset..end);
            let chunk = Chunk { transfer, vote, meta: meta.clone(), total: total as u64, offset: offset as u64, bytes };
            let patience = if end == total { INSTALL_PATIENCE } else { CHUNK_PATIENCE };
            match self.ask(to, group, Request::Chunk(chunk), patience).await? {
                Response::Taken if end < total => offset = end,
                Response::Installed(response) => return Ok(response),
                _ => return Err("the follower did not follow the transfer of a snapshot"),
            }
        }
    }

    /// Takes a chunk; installs the snapshot with the last one. `None`: the chunk is out of place or too much.
    pub(super) async fn assemble(
        &self,
        from: NodeKey,
        group: GroupId,
        member: &Member,
        chunk: Chunk,
    ) -> Option<Response> {
        if chunk.total > self.settings.snapshot_bytes_max {
            let limit = self.settings.snapshot_bytes_max;
            tracing::error!(%group, bytes = chunk.total, limit, "refused a snapshot that is larger than the limit");
            return None;
        }
        match self.place(from, group, &chunk) {
            Step::More => Some(Response::Taken),
            Step::OutOfPlace => None,
            Step::Whole(bytes) => {
                let snapshot = Snapshot { meta: chunk.meta, snapshot: SnapshotData::Received(bytes.into()) };
                member.core.raft.install_full_snapshot(chunk.vote, snapshot).await.map(Response::Installed).ok()
            }
        }
    }

    fn place(&self, from: NodeKey, group: GroupId, chunk: &Chunk) -> Step {
        let peer = self.peer(from);
        let mut open = peer.open();
        if chunk.offset == 0 {
            // A new attempt takes the place of an old one.
            open.assemblies.insert(group, Assembly { transfer: chunk.transfer, bytes: Vec::new() });
        }
        let fits = |assembly: &&mut Assembly| {
            let end = chunk.offset.saturating_add(chunk.bytes.len() as u64);
            assembly.transfer == chunk.transfer && assembly.bytes.len() as u64 == chunk.offset && end <= chunk.total
        };
        let Some(assembly) = open.assemblies.get_mut(&group).filter(fits) else { return Step::OutOfPlace };
        assembly.bytes.extend_from_slice(&chunk.bytes);
        if (assembly.bytes.len() as u64) < chunk.total {
            return Step::More;
        }
        open.assemblies.remove(&group).map_or(Step::OutOfPlace, |assembly| Step::Whole(assembly.bytes))
    }
}
