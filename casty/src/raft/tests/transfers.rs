//! The rows of a table on their way to a node that lacks them.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::watch;

use super::cluster::{GROUP, command, host, key, soon};
use super::durable::{stores, unhurried};
use super::net::Net;
use super::snapshots::compacting;
use super::table::{FailingStores, ROW_BYTES, Seen, Shelf};
use crate::base::ThreadRng;
use crate::raft::{Group, Host, RaftSettings};
use crate::storage::{MemoryStores, Stores};

/// As many rows as make some 24 chunks.
const ROWS: u64 = 300;

struct Node {
    host: Arc<Host>,
    group: Arc<Group>,
    seen: Seen,
}

/// Two nodes with a table, and a third that is cut off.
struct Cluster {
    net: Arc<Net>,
    nodes: Vec<Node>,
    leader: usize,
}

async fn open(net: &Arc<Net>, n: usize, stores: &dyn Stores, settings: &RaftSettings) -> Node {
    let host = host(net, n, settings);
    let (shelf, seen) = Shelf::new(stores.state(GROUP).unwrap());
    let voters: Vec<_> = (0..3).map(key).collect();
    let group = host.open(GROUP, stores.log(GROUP).unwrap(), Box::new(shelf), &voters).await.unwrap();
    Node { host, group, seen }
}

impl Cluster {
    async fn start(all: [&dyn Stores; 3], settings: RaftSettings) -> Self {
        ThreadRng::seed(1);
        let net = Arc::new(Net::default());
        let mut nodes = Vec::new();
        for (n, stores) in all.into_iter().enumerate() {
            nodes.push(open(&net, n, stores, &settings).await);
        }
        let mut cluster = Self { net, nodes, leader: 0 };
        cluster.isolate();
        cluster.nodes[0].group.campaign().await;
        let mut leadership = cluster.nodes[0].group.leadership();
        soon("somebody leads", leadership.wait_for(|now| now.leader.is_some())).await.unwrap();
        cluster.leader = usize::from(leadership.borrow().leader.unwrap().node != key(0));
        cluster
    }

    fn isolate(&self) {
        (0..2).for_each(|other| self.net.cut(key(2), key(other)));
    }

    fn rejoin(&self) {
        (0..2).for_each(|other| self.net.join(key(2), key(other)));
    }

    /// Writes rows, and waits until the third node can have them by a snapshot only.
    async fn fill(&self) {
        self.write(0..ROWS).await;
        let group = &self.nodes[self.leader].group;
        while group.status().purged.is_none_or(|purged| purged < 100) {
            soon("a write", group.write(command(0))).await.unwrap();
        }
    }

    async fn write(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let mut leadership = self.nodes[self.leader].group.leadership();
            soon("it leads", leadership.wait_for(|now| now.ours.is_some())).await.unwrap();
            soon("a write", self.nodes[self.leader].group.write(command(number))).await.unwrap();
        }
    }

    /// Waits until the third node has all, and shows that it goes on from there.
    async fn caught_up(&self) {
        self.nodes[2].seen.reached(ROWS).await;
        self.write(ROWS..ROWS + 5).await;
        self.nodes[2].seen.reached(self.nodes[self.leader].seen.count()).await;
        assert!(self.nodes[2].seen.has(keys(0..ROWS + 5)));
    }

    async fn shutdown(self) {
        for node in &self.nodes {
            soon("a host shuts down", node.host.shutdown()).await;
        }
    }
}

fn keys(numbers: std::ops::Range<u64>) -> impl Iterator<Item = Bytes> {
    numbers.map(command)
}

/// The chunks that all rows make.
fn chunks() -> u32 {
    (ROWS as usize).div_ceil((512 << 10) / ROW_BYTES + 1) as u32
}

const MEMORY: [&dyn Stores; 3] = [&MemoryStores, &MemoryStores, &MemoryStores];

#[tokio::test(start_paused = true)]
async fn a_transfer_that_broke_off_goes_on_where_it_was() {
    let cluster = Cluster::start(MEMORY, compacting()).await;
    cluster.fill().await;
    let mut sent = cluster.net.chunks();
    let breaks = 3;
    for chunk in (1..=breaks).map(|nth| nth * chunks() / 4) {
        cluster.net.break_at(chunk);
        cluster.rejoin();
        drop(soon("chunks are sent", sent.wait_for(|sent| *sent >= chunk)).await.unwrap());
        cluster.isolate();
    }
    cluster.rejoin();
    cluster.caught_up().await;
    let sent = *sent.borrow();
    assert!(sent >= chunks() && sent <= chunks() + breaks, "{sent} chunks for {}", chunks());
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_chunk_is_refused_and_sent_again() {
    let cluster = Cluster::start(MEMORY, compacting()).await;
    cluster.fill().await;
    cluster.net.damage(key(cluster.leader), key(2), 2);
    cluster.rejoin();
    cluster.caught_up().await;
    let sent = *cluster.net.chunks().borrow();
    assert_eq!(sent, chunks() + 2, "two were sent again, and no others");
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_keeps_what_a_follower_needs_that_is_being_sent_the_state() {
    let cluster = Cluster::start(MEMORY, compacting()).await;
    cluster.fill().await;
    let mut sent = cluster.net.chunks();
    cluster.net.break_at(5);
    cluster.rejoin();
    drop(soon("chunks are sent", sent.wait_for(|sent| *sent >= 5)).await.unwrap());
    cluster.isolate();
    for _ in 0..300 {
        cluster.write(0..1).await;
    }
    cluster.rejoin();
    cluster.caught_up().await;
    let sent = *sent.borrow();
    assert!(sent <= chunks() + 1, "{sent} chunks for {}: the state was sent once", chunks());
    // Nobody needs it any more.
    let group = &cluster.nodes[cluster.leader].group;
    let purged = group.status().purged;
    while group.status().purged == purged {
        cluster.write(0..1).await;
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_transfer_does_not_go_on_in_the_chunks_of_an_earlier_one() {
    let failed = watch::Sender::new(0);
    let stores = FailingStores(failed.clone());
    let cluster = Cluster::start([&stores, &stores, &MemoryStores], compacting()).await;
    cluster.fill().await;
    cluster.rejoin();
    // The leader cannot read on when the follower has a part, and begins anew with a later state.
    drop(soon("a read fails", failed.subscribe().wait_for(|failed| *failed > 0)).await.unwrap());
    cluster.write(0..30).await;
    cluster.caught_up().await;
    assert_eq!(cluster.nodes[2].seen.count(), cluster.nodes[cluster.leader].seen.count());
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_table_in_memory_takes_no_more_than_its_limit() {
    let settings = RaftSettings { snapshot_bytes_max: ROWS * ROW_BYTES as u64 / 2, ..compacting() };
    let cluster = Cluster::start(MEMORY, settings).await;
    cluster.fill().await;
    let mut sent = cluster.net.chunks();
    cluster.rejoin();
    // It was refused in the middle, and begins anew.
    drop(soon("chunks are sent", sent.wait_for(|sent| *sent > chunks())).await.unwrap());
    assert!(!cluster.nodes[2].seen.has(keys(0..1)));
    cluster.shutdown().await;
}

/// Three nodes that have stores in memory, or in a folder.
async fn mixed(folder: &Path, on_disk: [bool; 3]) -> Vec<Box<dyn Stores>> {
    let mut all: Vec<Box<dyn Stores>> = Vec::new();
    for (n, on_disk) in on_disk.into_iter().enumerate() {
        all.push(if on_disk { Box::new(stores(folder, n).await) } else { Box::new(MemoryStores) });
    }
    all
}

async fn from_to(on_disk: [bool; 3]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // On a disk there is no limit.
    let limit = if on_disk[2] { ROW_BYTES as u64 } else { 1 << 30 };
    let settings = RaftSettings { snapshot_bytes_max: limit, ..unhurried(compacting()) };
    let all = mixed(folder.path(), on_disk).await;
    let cluster = Cluster::start([&*all[0], &*all[1], &*all[2]], settings).await;
    cluster.fill().await;
    cluster.rejoin();
    cluster.caught_up().await;
    assert!(*cluster.net.chunks().borrow() >= chunks());
    cluster.shutdown().await;
    folder
}

#[tokio::test]
async fn a_table_on_a_disk_goes_to_one_in_memory() {
    from_to([true, true, false]).await;
}

#[tokio::test]
async fn a_table_goes_to_a_disk_and_is_there_after_a_restart() {
    let folder = from_to([false, false, true]).await;
    let stores = stores(folder.path(), 2).await;
    // Alone it hears of no commit: what it has, its disk gave it.
    let node = open(&Arc::default(), 2, &stores, &compacting()).await;
    node.seen.reached(ROWS).await;
    assert!(node.seen.has(keys(0..ROWS)));
    node.host.shutdown().await;
}

#[tokio::test]
async fn many_changed_rows_are_saved_though_the_log_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let settings = unhurried(RaftSettings { snapshot_entries: u64::MAX, ..RaftSettings::default() });
    let all = mixed(folder.path(), [true; 3]).await;
    let cluster = Cluster::start([&*all[0], &*all[1], &*all[2]], settings.clone()).await;
    cluster.write(0..ROWS).await;
    let status = cluster.nodes[cluster.leader].group.status();
    assert_eq!((status.purged, status.snapshot_index), (None, None), "the log is whole");
    let leader = cluster.leader;
    cluster.shutdown().await;
    drop(all);
    let stores = stores(folder.path(), leader).await;
    let node = open(&Arc::default(), leader, &stores, &settings).await;
    // At most 8 MiB of the 12 MB are in memory only.
    assert!(node.seen.has(keys(0..ROWS / 4)), "what is not in memory only came from the disk");
    node.host.shutdown().await;
}
