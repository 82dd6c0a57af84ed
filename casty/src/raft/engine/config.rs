//! The consensus library's configuration.

use std::sync::Arc;

use openraft::{Config, SnapshotPolicy};

use crate::base::GroupId;
use crate::raft::{RaftError, RaftSettings};

/// Proposals and requests that wait for the core of a group. A full queue refuses proposals.
const CORE_QUEUE: u64 = 4_096;
/// Commands that wait for the machine of a group; the core waits when it is full.
const MACHINE_QUEUE: u64 = 1_024;

/// `stands`: the group may stand for election from the start.
pub(super) fn config(group: GroupId, settings: &RaftSettings, stands: bool) -> Result<Arc<Config>, RaftError> {
    let millis = |duration: std::time::Duration| duration.as_millis() as u64;
    let config = Config {
        cluster_name: group.to_string(),
        heartbeat_interval: millis(settings.heartbeat),
        election_timeout_min: millis(settings.election_min),
        election_timeout_max: millis(settings.election_max),
        max_payload_entries: settings.append_entries_max,
        api_channel_size: Some(CORE_QUEUE),
        notification_channel_size: Some(CORE_QUEUE),
        state_machine_channel_size: Some(MACHINE_QUEUE),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(settings.snapshot_entries),
        max_in_snapshot_log_to_keep: settings.log_entries_kept,
        purge_batch_size: settings.log_entries_kept.clamp(1, 64),
        // A follower gets a snapshot when the log no longer has what it lacks, never merely because it is behind.
        replication_lag_threshold: u64::MAX,
        enable_pre_vote: Some(true),
        enable_elect: stands,
        // A leader that restarts stands for election like any other.
        enable_leader_restore: Some(false),
        backoff: "50ms, 100ms ..200ms".into(),
        ..Config::default()
    };
    let config = config.validate().map_err(|why| RaftError::Settings { group, why: why.to_string() })?;
    Ok(Arc::new(config))
}
