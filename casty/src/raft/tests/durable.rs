//! Groups that outlive their processes.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::cluster::{Cluster, GROUP, command, host, soon};
use super::recorder::Recorder;
use super::snapshots::compacting;
use crate::raft::RaftSettings;
use crate::storage::{
    DiskStores, Flushed, FrozenRows, Identity, LogBounds, LogEntry, LogPosition, LogStore, MemoryLog, RowReader,
    SnapshotStore, StoreError, StoredSnapshot, Stores, Vote,
};

/// What a node's folder holds, as soon as the last task of the life before has let go of it.
pub(super) async fn stores(folder: &Path, n: usize) -> DiskStores {
    let identity = Identity { node: format!("node-{n}").as_str().into(), cluster: "test".to_owned() };
    let opened = async {
        loop {
            match DiskStores::open(folder.join(n.to_string()), &identity) {
                Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    };
    soon("the folder is free", opened).await
}

async fn log(folder: &Path, n: usize) -> Arc<dyn LogStore> {
    stores(folder, n).await.log(GROUP).unwrap()
}

/// Three nodes with what their folders hold, one of which leads.
async fn start(folder: &TempDir, settings: &RaftSettings) -> (Cluster, usize) {
    let logs = join_all((0..3).map(|n| log(folder.path(), n))).await;
    let cluster = Cluster::on(logs, settings.clone(), |_, _| {}).await;
    cluster.nodes[0].group.campaign().await;
    let (leader, _) = cluster.leader().await;
    (cluster, leader)
}

/// The clock cannot be paused where a disk is waited for: timeouts that a busy machine does not reach.
pub(super) fn unhurried(settings: RaftSettings) -> RaftSettings {
    RaftSettings { election_min: Duration::from_secs(1), election_max: Duration::from_secs(2), ..settings }
}

#[tokio::test]
async fn what_was_written_is_there_after_all_have_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut terms = 0;
    for life in 1..=3 {
        let (cluster, leader) = start(&folder, &unhurried(RaftSettings::default())).await;
        let term = cluster.nodes[leader].group.status().term;
        assert!(term > terms, "terms go on");
        terms = term;
        cluster.write(leader, (life - 1) * 30..life * 30).await;
        for node in &cluster.nodes {
            node.record.reached(life as usize * 30).await;
            assert_eq!(node.record.commands(), (0..life * 30).map(command).collect::<Vec<_>>());
            assert_eq!(node.record.all(), cluster.nodes[leader].record.all(), "the indexes are the same");
        }
        cluster.shutdown().await;
    }
}

#[tokio::test]
async fn a_compacted_log_comes_back_with_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, leader) = start(&folder, &unhurried(compacting())).await;
    cluster.write(leader, 0..200).await;
    join_all(cluster.nodes.iter().map(|node| async move {
        node.record.reached(200).await;
        // Commits come with heartbeats, and with them what a compaction purges.
        while node.group.status().purged.is_none() {
            tokio::task::yield_now().await;
        }
    }))
    .await;
    cluster.shutdown().await;
    let (cluster, leader) = start(&folder, &unhurried(compacting())).await;
    for node in &cluster.nodes {
        assert_eq!(node.record.restored(), 1, "the state came from the disk");
        assert!(node.log.bounds().unwrap().purged.is_some());
        node.record.reached(200).await;
    }
    cluster.write(leader, 200..220).await;
    for node in &cluster.nodes {
        node.record.reached(220).await;
        assert_eq!(node.record.commands(), (0..220).map(command).collect::<Vec<_>>());
    }
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_snapshot_of_the_leader_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, leader) = start(&folder, &unhurried(compacting())).await;
    let away = cluster.others(leader)[0];
    cluster.isolate(away);
    cluster.write(leader, 0..300).await;
    while cluster.nodes[leader].group.status().purged.is_none_or(|purged| purged < 100) {
        cluster.write(leader, 300..301).await;
    }
    cluster.rejoin(away);
    cluster.nodes[away].record.reached(300).await;
    assert_eq!(cluster.nodes[away].record.restored(), 1, "it came as a snapshot");
    // The group purges its log once the snapshot is installed.
    while cluster.nodes[away].group.status().purged.is_none() {
        tokio::task::yield_now().await;
    }
    let was = cluster.nodes[away].record.all();
    cluster.shutdown().await;
    // Alone it hears of no commit: what it has, its disk gave it.
    let alone = host(&Arc::default(), away, &compacting());
    let (machine, record) = Recorder::new();
    alone.open(GROUP, log(folder.path(), away).await, Box::new(machine), &[]).await.unwrap();
    let all = record.all();
    assert!(all.len() >= 300 && all == was[..all.len()], "{} of {}", all.len(), was.len());
    alone.shutdown().await;
}

/// A log in memory, whose snapshots become durable when the test says so.
struct HeldLog {
    log: MemoryLog,
    snapshots: Arc<HeldSnapshots>,
}

struct HeldSnapshots(mpsc::UnboundedSender<(StoredSnapshot, Flushed)>);

impl HeldLog {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<(StoredSnapshot, Flushed)>) {
        let (saved, saves) = mpsc::unbounded_channel();
        (Arc::new(Self { log: MemoryLog::new(), snapshots: Arc::new(HeldSnapshots(saved)) }), saves)
    }
}

impl SnapshotStore for HeldSnapshots {
    fn load(&self) -> io::Result<Option<(StoredSnapshot, Box<dyn RowReader>)>> {
        Ok(None)
    }

    fn save(&self, snapshot: StoredSnapshot, _: Option<FrozenRows>, done: Flushed) -> io::Result<()> {
        self.0.send((snapshot, done)).map_err(|_| io::Error::other("the test is over"))
    }
}

impl LogStore for HeldLog {
    fn bounds(&self) -> io::Result<LogBounds> {
        self.log.bounds()
    }

    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()> {
        self.log.append(entries, done)
    }

    fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<LogEntry>> {
        self.log.read(range, bytes_max)
    }

    fn truncate_after(&self, index: Option<u64>) -> io::Result<()> {
        self.log.truncate_after(index)
    }

    fn purge(&self, through: LogPosition) -> io::Result<()> {
        self.log.purge(through)
    }

    fn save_vote(&self, vote: Vote, done: Flushed) -> io::Result<()> {
        self.log.save_vote(vote, done)
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        self.log.vote()
    }

    fn snapshots(&self) -> Option<Arc<dyn SnapshotStore>> {
        Some(self.snapshots.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn no_log_is_purged_before_the_state_up_to_there_is_saved() {
    let (log, mut saves) = HeldLog::new();
    let cluster = Cluster::on(vec![log.clone()], compacting(), |_, _| {}).await;
    cluster.leader().await;
    cluster.write(0, 0..100).await;
    let (snapshot, done) = soon("a snapshot is saved", saves.recv()).await.unwrap();
    cluster.write(0, 100..300).await;
    assert_eq!(log.bounds().unwrap().purged, None, "the group goes on, and its log is whole");
    done(Ok(()));
    soon("the log is purged", async {
        while log.bounds().unwrap().purged.is_none() {
            cluster.write(0, 300..301).await;
        }
    })
    .await;
    assert!(log.bounds().unwrap().purged.unwrap().index < snapshot.through.index);
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_the_leader_counts_once_it_is_saved() {
    let (log, mut saves) = HeldLog::new();
    let logs: Vec<Arc<dyn LogStore>> = vec![Arc::new(MemoryLog::new()), Arc::new(MemoryLog::new()), log.clone()];
    let cluster = Cluster::on(logs, compacting(), |_, _| {}).await;
    cluster.isolate(2);
    let (leader, _) = cluster.leader_among(&[0, 1]).await;
    cluster.write(leader, 0..200).await;
    cluster.rejoin(2);
    let (snapshot, done) = soon("a snapshot is saved", saves.recv()).await.unwrap();
    cluster.write(leader, 200..230).await;
    let status = cluster.nodes[2].group.status();
    assert_eq!((status.purged, log.bounds().unwrap().purged), (None, None), "the log is what counts");
    done(Ok(()));
    cluster.nodes[2].record.reached(230).await;
    assert_eq!(log.bounds().unwrap().purged, Some(snapshot.through));
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_group_whose_snapshot_cannot_be_saved_stops_and_says_why() {
    let (log, mut saves) = HeldLog::new();
    let cluster = Cluster::on(vec![log.clone()], compacting(), |_, _| {}).await;
    cluster.leader().await;
    cluster.write(0, 0..100).await;
    let (_, done) = soon("a snapshot is saved", saves.recv()).await.unwrap();
    done(Err(io::Error::other("the disk is full")));
    let mut leadership = cluster.nodes[0].group.leadership();
    assert!(soon("the group stops", leadership.wait_for(|_| false)).await.is_err());
    let why = cluster.nodes[0].group.failure().unwrap().to_string();
    assert!(why.contains("the disk is full"), "{why}");
    assert_eq!(log.bounds().unwrap().purged, None);
    cluster.shutdown().await;
}
