//! A cluster in one process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::select_all;

use super::net::{Net, NodeLinks};
use super::recorder::{Record, Recorder};
use crate::base::{GroupId, NodeKey, ThreadRng};
use crate::raft::{Group, Host, LeaderId, RaftSettings};
use crate::storage::{LogStore, MemoryLog};

pub(super) const GROUP: GroupId = GroupId(1);

/// Waits for something that must happen soon.
pub(super) async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(20), happens).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not within 20 s"),
    }
}

/// One node with one group.
pub(super) struct Node {
    pub(super) host: Arc<Host>,
    pub(super) group: Arc<Group>,
    pub(super) log: Arc<dyn LogStore>,
    pub(super) record: Record,
}

pub(super) struct Cluster {
    pub(super) net: Arc<Net>,
    pub(super) nodes: Vec<Node>,
}

pub(super) fn key(n: usize) -> NodeKey {
    NodeKey(n as u64 + 1)
}

pub(super) fn host(net: &Arc<Net>, n: usize, settings: &RaftSettings) -> Arc<Host> {
    let links = NodeLinks { me: key(n), net: net.clone() };
    let host = Host::new(key(n), Arc::new(links), RaftSettings { seed: n as u64, ..settings.clone() });
    net.add(&host);
    host
}

impl Cluster {
    /// Nodes that vote in their group.
    pub(super) async fn new(nodes: usize, settings: RaftSettings) -> Self {
        Self::new_with(nodes, settings, |_, _| {}).await
    }

    /// Nodes that vote in their group, with machines of the test's own.
    pub(super) async fn new_with(nodes: usize, settings: RaftSettings, change: impl Fn(usize, &mut Recorder)) -> Self {
        Self::on((0..nodes).map(|_| in_memory()).collect(), settings, change).await
    }

    /// Nodes that vote in their group, with what these logs hold.
    pub(super) async fn on(
        logs: Vec<Arc<dyn LogStore>>,
        settings: RaftSettings,
        change: impl Fn(usize, &mut Recorder),
    ) -> Self {
        // Election timeouts are drawn: the same ones in every run.
        ThreadRng::seed(1);
        let net = Arc::new(Net::default());
        let mut cluster = Self { net, nodes: Vec::new() };
        let voters: Vec<_> = (0..logs.len()).map(key).collect();
        for (n, log) in logs.into_iter().enumerate() {
            cluster.add_on(log, n, &settings, &voters, |machine| change(n, machine)).await;
        }
        cluster
    }

    /// One more node. The group begins with these voters, or waits for a leader.
    pub(super) async fn add(
        &mut self,
        n: usize,
        settings: &RaftSettings,
        voters: &[NodeKey],
        change: impl FnOnce(&mut Recorder),
    ) {
        self.add_on(in_memory(), n, settings, voters, change).await;
    }

    async fn add_on(
        &mut self,
        log: Arc<dyn LogStore>,
        n: usize,
        settings: &RaftSettings,
        voters: &[NodeKey],
        change: impl FnOnce(&mut Recorder),
    ) {
        let host = host(&self.net, n, settings);
        let (mut machine, record) = Recorder::new();
        change(&mut machine);
        let group = host.open(GROUP, log.clone(), Box::new(machine), voters).await.unwrap();
        self.nodes.push(Node { host, group, log, record });
    }

    /// Three nodes with a leader.
    pub(super) async fn three(settings: RaftSettings) -> (Self, usize, LeaderId) {
        let cluster = Self::new(3, settings).await;
        cluster.nodes[0].group.campaign().await;
        let (leader, id) = cluster.leader().await;
        (cluster, leader, id)
    }

    /// The first node that says it leads.
    pub(super) async fn leader(&self) -> (usize, LeaderId) {
        self.leader_among(&(0..self.nodes.len()).collect::<Vec<_>>()).await
    }

    /// The first of these nodes that says it leads.
    pub(super) async fn leader_among(&self, nodes: &[usize]) -> (usize, LeaderId) {
        let says = nodes.iter().map(|n| {
            let mut leadership = self.nodes[*n].group.leadership();
            Box::pin(async move {
                let said = *leadership.wait_for(|now| now.ours.is_some()).await.unwrap();
                (*n, said.ours.unwrap())
            })
        });
        soon("somebody leads", select_all(says)).await.0
    }

    /// Cuts one node off from all others.
    pub(super) fn isolate(&self, n: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != n) {
            self.net.cut(key(n), key(other));
        }
    }

    /// Connects one node with all others.
    pub(super) fn rejoin(&self, n: usize) {
        for other in (0..self.nodes.len()).filter(|other| *other != n) {
            self.net.join(key(n), key(other));
        }
    }

    /// Writes numbered commands on a leader, one after the other.
    pub(super) async fn write(&self, leader: usize, numbers: std::ops::Range<u64>) {
        for number in numbers {
            soon("a write", self.nodes[leader].group.write(command(number))).await.unwrap();
        }
    }

    pub(super) fn others(&self, n: usize) -> Vec<usize> {
        (0..self.nodes.len()).filter(|other| *other != n).collect()
    }

    pub(super) async fn shutdown(self) {
        for node in &self.nodes {
            soon("a host shuts down", node.host.shutdown()).await;
        }
    }
}

fn in_memory() -> Arc<dyn LogStore> {
    Arc::new(MemoryLog::new())
}

pub(super) fn command(number: u64) -> Bytes {
    Bytes::from(number.to_string())
}
