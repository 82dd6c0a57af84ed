//! A node of a cluster: everything put together.

mod config;
mod control;
mod declare;
mod error;
mod founding;
mod inbound;
mod inner;
mod links;
mod meta;
mod references;
mod remote;
mod spawn_on;
mod start;
mod topic;

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

pub use config::{ClusterConfig, ConfigError};
#[cfg(feature = "sim")]
pub(crate) use control::{Control, Verdict, decode_word};
pub use declare::StartSharded;
pub use error::{NotReady, StartError};
#[cfg(feature = "sim")]
pub(crate) use founding::{Charter, Founder, Terms};
pub use spawn_on::SpawnOnError;
pub use topic::{ClusterTopic, Reached};

use self::inner::{Inner, lock};
use crate::actor::{ActorSystem, FromId, Persistent, Registered, Shutdown, ShutdownReport, when_told_to_end};
use crate::base::{GroupId, NodeId, NodeKey};
use crate::cluster::{Cluster, Member};
use crate::raft::GroupStatus;

/// How often [`Node::ready`] looks.
const READY_PERIOD: Duration = Duration::from_millis(10);

/// How many looks lie between two log lines of [`Node::ready`].
const READY_LOG_PERIOD: u32 = 500;

/// A node of a cluster.
///
/// It is also an [`ActorSystem`], for actors that live on this node only. Dropping it stops the node without ceremony;
/// [`shutdown`](Self::shutdown) does so in order.
pub struct Node {
    inner: Arc<Inner>,
    cluster: Arc<Cluster>,
}

impl Node {
    fn new(inner: Arc<Inner>, cluster: Arc<Cluster>) -> Self {
        Self { inner, cluster }
    }

    /// Waits until the node has joined, has caught up with the groups whose replicas it holds, and knows a leader of
    /// every group.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let mut looks = tokio::time::interval(READY_PERIOD);
        let mut look = 0u32;
        loop {
            looks.tick().await;
            look = look.wrapping_add(1);
            if self.inner.router.is_closed() {
                return Err(self.inner.ended.borrow().unwrap_or(NotReady::ShutDown));
            }
            match self.missing() {
                None => return Ok(()),
                Some(missing) if look.is_multiple_of(READY_LOG_PERIOD) => {
                    tracing::info!(missing, "waiting for the cluster");
                }
                Some(_) => {}
            }
        }
    }

    /// What [`ready`](Self::ready) waits for.
    pub(crate) fn missing(&self) -> Option<String> {
        let Some(charter) = self.inner.charter() else {
            let nodes = self.cluster.members().len();
            return Some(format!("enough nodes to found the cluster, or one that has joined it ({nodes} in sight)"));
        };
        let led = |group: &GroupId| self.inner.router.leader(*group).is_some();
        if let Some(group) = (0..=charter.groups).map(GroupId).find(|group| !led(group)) {
            return Some(format!("a leader of group {group}"));
        }
        let behind = |status: &GroupStatus| status.leader.is_none() || status.applied < status.committed;
        let groups = self.inner.host.groups();
        let behind = groups.iter().find(|group| behind(&group.status()));
        behind.map(|group| format!("the replica of group {} to catch up", group.id()))
    }

    /// An entity type of the cluster, about to be started.
    ///
    /// ```no_run
    /// # use casty::prelude::*;
    /// # #[message] pub struct Deposit { pub amount: u64 }
    /// # #[persistent] pub struct Account { balance: u64 }
    /// # #[actor] impl Account {
    /// #     fn new(_id: EntityId) -> Self { Self { balance: 0 } }
    /// #     #[handler] fn deposit(&mut self, msg: Deposit) -> u64 { self.balance += msg.amount; self.balance }
    /// # }
    /// # async fn example(node: casty::Node) -> Result<(), Box<dyn std::error::Error>> {
    /// let accounts = node.sharded::<Account>("account").shards(100).start().await?;
    /// let balance = accounts.entity("user-1").deposit(Deposit { amount: 100 }).await?;
    /// # Ok(()) }
    /// ```
    pub fn sharded<A: Registered + Persistent + FromId>(&self, name: impl Into<String>) -> StartSharded<A> {
        StartSharded::new(self.inner.clone(), name.into())
    }

    /// The address at which other nodes reach this one.
    pub fn address(&self) -> String {
        self.cluster.me().addr.clone()
    }

    /// The name of this node.
    pub fn id(&self) -> NodeId {
        self.cluster.me().id.clone()
    }

    /// The nodes that are alive, this one among them, by id.
    pub fn members(&self) -> Vec<Member> {
        self.cluster.members()
    }

    /// Whether this node leads the cluster's meta group, with a majority that still follows it.
    pub fn is_leader(&self) -> bool {
        lock(&self.inner.meta).is_some_and(|leading| leading.open)
    }

    /// The node that leads the cluster's meta group, as far as this node knows.
    pub fn leader_id(&self) -> Option<NodeId> {
        self.leader_of(GroupId::META)
    }

    /// Every data group and the node that leads it, as far as this node knows.
    pub fn leaders(&self) -> Vec<(GroupId, Option<NodeId>)> {
        let groups = self.inner.router.groups().unwrap_or(0);
        (1..=groups).map(GroupId).map(|group| (group, self.leader_of(group))).collect()
    }

    /// Where the consensus groups stand whose replicas this node holds.
    pub fn groups(&self) -> Vec<(GroupId, GroupStatus)> {
        self.inner.host.groups().iter().map(|group| (group.id(), group.status())).collect()
    }

    /// Waits until this life of the node is over, though nobody has shut it down, and says why: start another. It never
    /// ends for a node that is well.
    pub async fn ended(&self) -> NotReady {
        self.inner.ended().await
    }

    /// The cluster that the node belongs to.
    #[cfg(feature = "sim")]
    pub(crate) fn cluster_id(&self) -> Option<u64> {
        self.inner.links.cluster_id()
    }

    /// The table of a data group whose replica this node holds.
    #[cfg(feature = "sim")]
    pub(crate) fn table(&self, group: GroupId) -> Option<crate::replication::SharedState> {
        lock(&self.inner.regions).iter().find(|region| region.group() == group).map(|region| region.table().clone())
    }

    /// Stops the node: its actors first, as its settings say, then its part in the groups, then its links.
    pub async fn shutdown(&self) -> ShutdownReport {
        self.stop(self.inner.system.shutdown().await).await
    }

    /// Stops the node, and its actors in another way than its settings say.
    pub async fn shutdown_with(&self, how: &Shutdown) -> ShutdownReport {
        self.stop(self.inner.system.shutdown_with(how).await).await
    }

    /// [`ActorSystem::shutdown_on_ctrl_c`] for the whole node. A second signal drops its actors at once; the node still ends
    /// its part in the groups, and then its links.
    pub async fn shutdown_on_ctrl_c(&self) -> io::Result<ShutdownReport> {
        when_told_to_end(self.name(), self.shutdown(), |at_once| async move { self.shutdown_with(&at_once).await })
            .await
    }

    /// Stops the rest of the node when its actors have ended.
    async fn stop(&self, report: ShutdownReport) -> ShutdownReport {
        self.inner.hub.close(&NotReady::ShutDown.to_string());
        self.inner.router.close(&NotReady::ShutDown.to_string());
        self.inner.host.shutdown().await;
        self.cluster.shutdown().await;
        lock(&self.inner.tasks).abort_all();
        report
    }

    fn leader_of(&self, group: GroupId) -> Option<NodeId> {
        self.name_of(self.inner.router.leader(group)?.leader.node)
    }

    fn name_of(&self, key: NodeKey) -> Option<NodeId> {
        let charter = self.inner.charter()?;
        charter.founders.into_iter().find(|founder| founder.key == key).map(|founder| founder.id)
    }
}

impl Deref for Node {
    type Target = ActorSystem;

    fn deref(&self) -> &ActorSystem {
        &self.inner.system
    }
}

/// What a crash would do: the links close at once, and nobody is told.
impl Drop for Node {
    fn drop(&mut self) {
        lock(&self.inner.tasks).abort_all();
        let host = self.inner.host.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { host.shutdown().await });
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.id()).field("address", &self.address()).finish_non_exhaustive()
    }
}
