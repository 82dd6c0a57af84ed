//! Clusters of real nodes on loopback, within one process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use casty::actor::{FromId, Persistent, Registered};
use casty::cluster::Kind;
use casty::raft::GroupStatus;
use casty::storage::StoreError;
use casty::{ActorSystem, ClusterConfig, GroupId, GroupPlacement, Node, Sharded, StartError, Tls};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing_subscriber::EnvFilter;

use crate::fault::Network;

/// How long a test waits for something that must happen.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// After this time a node that is away is given up, in tests where that matters.
pub const REMOVE_AFTER: Duration = Duration::from_secs(1);

/// How often [`eventually`] looks.
const LOOK_PERIOD: Duration = Duration::from_millis(5);

/// Clusters share the machine's cores, and what they promise about time they promise for cores of their own: one after
/// the other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A cluster whose nodes can be crashed and cut off, by their numbers from 0 on.
pub struct Cluster {
    nodes: Vec<Option<Node>>,
    addresses: Vec<String>,
    /// The network between the nodes.
    pub network: Network,
    _alone: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Starts `size` nodes, and waits until they are ready.
    pub async fn start(size: usize) -> Self {
        Self::start_with(size, |config| config).await
    }

    /// Starts `size` nodes with settings of the test's own.
    pub async fn start_with(size: usize, settings: impl Fn(ClusterConfig) -> ClusterConfig) -> Self {
        let mut cluster = Self::empty().await;
        for number in 0..size {
            let seed = cluster.addresses.first().map_or("127.0.0.1:1", String::as_str);
            let config = config(number + 1, size).net(cluster.network.of(number));
            // A node that founds alone has no seeds.
            let config = if size > 1 { config.seeds([seed]) } else { config };
            cluster.add(node(settings(config)).await);
        }
        for (_, node) in cluster.live() {
            ready(node).await;
        }
        cluster
    }

    /// Starts a node in each of these folders, and waits until they are ready.
    pub async fn start_in(folders: &Folders) -> Self {
        Self::start_in_with(folders, |config| config).await
    }

    /// The same with settings of the test's own.
    pub async fn start_in_with(folders: &Folders, settings: impl Fn(ClusterConfig) -> ClusterConfig) -> Self {
        let mut cluster = Self::empty().await;
        cluster.addresses = vec![String::new(); folders.len()];
        cluster.nodes = folders.paths().map(|_| None).collect();
        cluster.begin_again_with(folders, 0..folders.len(), settings).await;
        for (_, node) in cluster.live() {
            ready(node).await;
        }
        cluster
    }

    /// Starts nodes that have stopped, at other addresses, in the folders that they had, and waits until they are ready.
    pub async fn start_again(&mut self, folders: &Folders, numbers: impl IntoIterator<Item = usize>) {
        let numbers: Vec<usize> = numbers.into_iter().collect();
        self.begin_again(folders, numbers.iter().copied()).await;
        for number in numbers {
            ready(self.node(number)).await;
        }
    }

    /// Starts nodes that have stopped, at other addresses, in the folders that they had.
    pub async fn begin_again(&mut self, folders: &Folders, numbers: impl IntoIterator<Item = usize>) {
        self.begin_again_with(folders, numbers, |config| config).await;
    }

    async fn begin_again_with(
        &mut self,
        folders: &Folders,
        numbers: impl IntoIterator<Item = usize>,
        settings: impl Fn(ClusterConfig) -> ClusterConfig,
    ) {
        for number in numbers {
            let seed = self.live().next().map_or("127.0.0.1:1".to_owned(), |(_, node)| node.address());
            let config = config(number + 1, folders.len()).seeds([seed]).data_dir(folders.path(number));
            let node = node_in_folder(settings(config.net(self.network.of(number)))).await;
            self.addresses[number] = node.address();
            self.nodes[number] = Some(node);
        }
    }

    /// Stops all nodes.
    pub async fn stop(&mut self) {
        for slot in &mut self.nodes {
            if let Some(node) = slot.take() {
                node.shutdown().await;
            }
        }
    }

    /// No nodes yet; the test starts them itself.
    pub async fn empty() -> Self {
        let alone = ALONE.lock().await;
        Self { nodes: Vec::new(), addresses: Vec::new(), network: Network::default(), _alone: alone }
    }

    /// Takes a node that the test has started. Returns its number.
    pub fn add(&mut self, node: Node) -> usize {
        self.addresses.push(node.address());
        self.nodes.push(Some(node));
        self.nodes.len() - 1
    }

    /// Starts another node with the name of node number `like`, of a cluster of `size`, and waits until it is ready.
    pub async fn join(&mut self, like: usize, size: usize) -> usize {
        let (_, seed) = self.live().next().expect("a live node");
        let config = config(like + 1, size).seeds([seed.address()]).remove_after(REMOVE_AFTER);
        let number = self.nodes.len();
        let number = self.add(node(config.net(self.network.of(number))).await);
        ready(self.node(number)).await;
        number
    }

    /// Takes a node out, to be stopped by the test.
    pub fn take(&mut self, number: usize) -> Node {
        self.nodes[number].take().expect("the node has crashed")
    }

    /// A node that has not crashed.
    pub fn node(&self, number: usize) -> &Node {
        self.nodes[number].as_ref().expect("the node has crashed")
    }

    /// The nodes that have not crashed.
    pub fn live(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter_map(|(number, node)| Some((number, node.as_ref()?)))
    }

    /// A live node that is none of these.
    pub fn other_than(&self, not: &[usize]) -> usize {
        self.live().map(|(number, _)| number).find(|number| !not.contains(number)).expect("another live node")
    }

    /// Ends a node without a word to the others.
    pub fn crash(&mut self, number: usize) {
        self.nodes[number] = None;
    }

    /// Cuts a node off from all others, in both directions.
    pub fn isolate(&self, number: usize) {
        for (other, address) in self.addresses.iter().enumerate().filter(|(other, _)| *other != number) {
            self.network.cut(number, address);
            self.network.cut(other, &self.addresses[number]);
        }
    }

    /// Cuts a node off from all others, and lets them notice at once: their connections to it break.
    pub fn tear_off(&self, number: usize) {
        self.isolate(number);
        for other in (0..self.addresses.len()).filter(|other| *other != number) {
            self.network.sever(other, &self.addresses[number]);
        }
    }

    /// Holds the frames of a kind that one node sends to another.
    pub fn hold(&self, from: usize, to: usize, kind: Kind) {
        self.network.hold(from, &self.addresses[to], kind);
    }

    /// Starts an entity type on every live node.
    pub async fn sharded<A: Registered + Persistent + FromId>(&self, name: &str) -> Vec<Sharded<A>> {
        let mut all = Vec::new();
        for (_, node) in self.live() {
            all.push(node.sharded::<A>(name).start().await.expect("the entity type starts"));
        }
        all
    }

    /// Which node leads a group, as node number `seen_by` sees it. Waits until there is one.
    pub async fn leader_of(&self, group: GroupId, seen_by: usize) -> usize {
        let mut leader = None;
        eventually(DEADLINE, "the group has a leader", || {
            leader = self.leader_now(group, seen_by);
            leader.is_some()
        })
        .await;
        leader.expect("a leader")
    }

    /// Which node leads a group at this moment, as node number `seen_by` sees it.
    pub fn leader_now(&self, group: GroupId, seen_by: usize) -> Option<usize> {
        let node = self.node(seen_by);
        let of = |leaders: Vec<_>| leaders.into_iter().find(|(id, _)| *id == group).and_then(|(_, leader)| leader);
        let leader = if group == GroupId::META { node.leader_id() } else { of(node.leaders()) }?;
        self.live().find(|(_, node)| node.id() == leader).map(|(number, _)| number)
    }

    /// Where a group stands on a node that holds a replica.
    pub fn status(&self, number: usize, group: GroupId) -> GroupStatus {
        let groups = self.node(number).groups();
        groups.into_iter().find(|(id, _)| *id == group).map(|(_, status)| status).expect("a replica of the group")
    }

    /// Where all groups stand, by node and group.
    pub fn statuses(&self) -> BTreeMap<(usize, GroupId), GroupStatus> {
        let of = |(number, node): (usize, &Node)| {
            node.groups().into_iter().map(move |(group, status)| ((number, group), status))
        };
        self.live().flat_map(of).collect()
    }

    /// How many data groups a node holds a replica of.
    pub fn held(&self, number: usize) -> usize {
        self.node(number).groups().iter().filter(|(group, _)| *group != GroupId::META).count()
    }

    /// Waits until every group has all its replicas, on these nodes and no others, and each of them knows it.
    pub async fn settled_on(&self, numbers: &[usize]) {
        self.settled_on_of(numbers, numbers).await;
    }

    /// The same, where `all` are the members of the cluster.
    pub async fn settled_on_of(&self, numbers: &[usize], all: &[usize]) {
        let ids: BTreeSet<_> = numbers.iter().map(|number| self.node(*number).id()).collect();
        let there = |at: &GroupPlacement| at.settled && at.replicas.iter().all(|node| ids.contains(node));
        eventually(DEADLINE, "every group is on these nodes", || {
            all.iter().all(|number| {
                let placements = self.node(*number).placements();
                !placements.is_empty()
                    && placements.iter().all(there)
                    && self.node(*number).members().len() == all.len()
            })
        })
        .await;
    }

    /// Waits until every group has so many replicas, as every node sees it. A group that had two, or one, has no majority
    /// without either until then.
    pub async fn replicated(&self, replicas: usize) {
        let whole = |at: &GroupPlacement| at.settled && at.replicas.len() >= replicas;
        eventually(DEADLINE, "every group has its replicas", || {
            self.live().all(|(_, node)| node.placements().iter().all(whole))
        })
        .await;
    }

    /// Waits until every replica has applied all that any replica has in its log.
    pub async fn quiet(&self) {
        eventually(DEADLINE, "all replicas have applied everything", || {
            let all = self.statuses();
            let last = |group: GroupId| {
                all.iter().filter(|((_, id), _)| *id == group).filter_map(|(_, status)| status.last_index).max()
            };
            all.iter().all(|((_, group), status)| status.applied == last(*group))
        })
        .await;
    }

    /// The ids, of `prefix` and a number, of entities whose group this node leads, as it says itself.
    pub fn ids_led_by<A: Registered>(
        &self,
        number: usize,
        sharded: &Sharded<A>,
        prefix: &str,
    ) -> impl Iterator<Item = String> {
        let leaders: BTreeMap<_, _> = self.node(number).leaders().into_iter().collect();
        let me = self.node(number).id();
        let ids = (0..1_000).map(move |id| format!("{prefix}-{id}"));
        let sharded = sharded.clone();
        ids.filter(move |id| leaders.get(&sharded.group_of(id)).is_some_and(|leader| leader.as_ref() == Some(&me)))
    }
}

/// Folders in which nodes keep their state. They go with this.
pub struct Folders(Vec<TempDir>);

impl Folders {
    /// Empty folders for so many nodes.
    pub fn new(nodes: usize) -> Self {
        Self((0..nodes).map(|_| TempDir::new().expect("a folder")).collect())
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder of node number `number`.
    pub fn path(&self, number: usize) -> &Path {
        self.0[number].path()
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(TempDir::path)
    }
}

/// Waits until `condition` holds. Panics after `deadline`, and says what was waited for.
pub async fn eventually(deadline: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    let mut looks = interval(LOOK_PERIOD);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if condition() {
            return;
        }
        assert!(begun.elapsed() < deadline, "not within {deadline:?}: {what}");
    }
}

/// The settings of node number `number` of `size`. Asks wait as long as tests do: machines that test are busy.
pub fn config(number: usize, size: usize) -> ClusterConfig {
    let config = insecure("127.0.0.1:0").node_id(format!("node-{number}")).expected_size(size);
    let config = config.ask_timeout(DEADLINE);
    // A node that founds alone has no seeds.
    if size > 1 { config.seeds(["127.0.0.1:1"]) } else { config }
}

/// The settings of a node whose links are plaintext.
pub fn insecure(bind: &str) -> ClusterConfig {
    ClusterConfig::new(bind).tls(Tls::insecure())
}

/// Starts a node. `RUST_LOG` has the nodes of a failing test tell what happened.
pub async fn node(config: ClusterConfig) -> Node {
    show_log();
    ActorSystem::cluster(config).await.unwrap_or_else(|error| unreachable!("the node does not start: {error}"))
}

fn show_log() {
    let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_test_writer();
    // It fails from the second time on.
    let _ = log.try_init();
}

/// Starts a node in a folder that may belong for a moment still to one that has crashed.
async fn node_in_folder(config: ClusterConfig) -> Node {
    show_log();
    let begun = Instant::now();
    let mut looks = interval(LOOK_PERIOD);
    loop {
        looks.tick().await;
        match ActorSystem::cluster(config.clone()).await {
            Err(StartError::Store(StoreError::Locked { .. })) if begun.elapsed() < DEADLINE => {}
            started => return started.unwrap_or_else(|error| unreachable!("the node does not start: {error}")),
        }
    }
}

/// Waits until `node` is ready.
pub async fn ready(node: &Node) {
    let ready = timeout(DEADLINE, node.ready()).await;
    assert!(matches!(ready, Ok(Ok(()))), "{} is not ready: {ready:?}", node.id());
}
