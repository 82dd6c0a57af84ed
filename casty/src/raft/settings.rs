//! How a host runs its groups.

use std::time::Duration;

/// How a host runs its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftSettings {
    /// A leader tells each follower this often that it is there.
    pub heartbeat: Duration,
    /// A follower waits at least this long, after the lease of its leader has run out, before it stands for election.
    pub election_min: Duration,
    /// A follower waits at most this long. It is also the lease: for so long after a sign of life of its leader a
    /// follower votes for nobody else. A leader that hears from no quorum for twice as long no longer says it leads.
    pub election_max: Duration,
    /// A message that only tells a follower of a commit waits this long for an entry to carry it instead.
    pub hold: Duration,
    /// The most entries in one message.
    pub append_entries_max: u64,
    /// The log is compacted after this many entries, or
    pub snapshot_entries: u64,
    /// after commands of this many bytes, whichever comes first.
    pub snapshot_log_bytes: u64,
    /// As many entries behind the last snapshot stay in the log, so that a follower that was away for a moment needs
    /// no snapshot.
    pub log_entries_kept: u64,
    /// After so many bytes of changed rows the state is saved, though the log may not be long: what is saved at once stays
    /// small, and so does what is in memory only. With four times as many nothing is applied before it is saved.
    pub checkpoint_bytes: u64,
    /// The bytes of a chunk of a snapshot: small enough for a heartbeat to wait behind it. A row that is larger is a chunk
    /// by itself.
    pub snapshot_chunk_bytes: usize,
    /// The most bytes of a snapshot from a leader that are held in memory: all of it, or all but the rows of a table that
    /// is on a disk.
    pub snapshot_bytes_max: u64,
    /// Make and read snapshots on threads for blocking work, so that a large one does not hold up other groups. Off
    /// in simulations, which have one thread.
    pub snapshot_threads: bool,
    /// The seed of what a host draws itself.
    pub seed: u64,
}

impl Default for RaftSettings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(100),
            election_min: Duration::from_millis(150),
            election_max: Duration::from_millis(300),
            hold: Duration::from_millis(5),
            append_entries_max: 256,
            snapshot_entries: 5_000,
            snapshot_log_bytes: 64 << 20,
            log_entries_kept: 1_000,
            checkpoint_bytes: 2 << 20,
            snapshot_chunk_bytes: 512 << 10,
            snapshot_bytes_max: 1 << 30,
            snapshot_threads: true,
            seed: 0,
        }
    }
}

impl RaftSettings {
    /// How long a leader may go without a sign of life of a quorum and still say that it leads.
    pub(super) fn quorum_patience(&self) -> Duration {
        self.election_max * 2
    }
}
