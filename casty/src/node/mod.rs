//! A node of a cluster: everything put together.

mod agreement;
mod config;
mod control;
mod declare;
mod desk;
mod error;
mod events;
mod founding;
mod holdings;
mod inbound;
mod inner;
mod inspection;
mod leave;
mod life;
mod links;
mod machines;
mod meta;
mod names;
mod recovery;
mod references;
mod remote;
mod replication;
#[cfg(feature = "sim")]
mod sight;
mod singleton;
mod spawn_on;
mod start;
mod stewardship;
mod topic;

use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use config::WINDOW_MIN;
pub use config::{ClusterConfig, ConfigError};
#[cfg(feature = "sim")]
pub(crate) use control::Control;
pub(crate) use control::decode_word;
pub use declare::StartSharded;
pub(crate) use desk::{Found, FromDesk, Sought, ToDesk};
pub use error::{LeaveError, NotReady, StartError};
pub use events::ClusterEvent;
#[cfg(feature = "sim")]
pub(crate) use founding::{Charter, Founder, Terms};
pub use inspection::{InspectedEntity, InspectedGroup, Inspection, inspect};
#[cfg(feature = "sim")]
pub(crate) use machines::{Applied, MachineWord};
pub use machines::{ApplyError, Replicate, ReplicateError, Replicated, StateMachine};
#[cfg(feature = "sim")]
pub(crate) use meta::{Command, Verdict};
pub use names::{Lookup, NameWatch};
pub use recovery::{RecoverError, RecoveredGroup, Recovery, recover};
pub use replication::Replication;
pub use singleton::StartSingleton;
pub use spawn_on::SpawnOnError;
pub(crate) use start::incarnation;
pub use topic::{ClusterTopic, Reached};

use self::inner::Inner;
use crate::actor::remote::Addressed;
use crate::actor::{ActorSystem, FromId, Persistent, Registered, Shutdown, ShutdownReport, when_told_to_end};
use crate::base::{GroupId, NodeId, NodeKey};
use crate::cluster::{Cluster, Member};
use crate::raft::GroupStatus;
use crate::sharding::allocation::Placement;
use crate::storage::BackupError;

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

    /// Waits until the cluster has admitted the node and counts on the replicas that it was given, they have caught up, and
    /// every group has a leader. A rolling restart waits for it before the next node's turn.
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
            if self.inner.life.is_bereft() {
                return Some(format!(
                    "a cluster to take this node in, which lost what it had stored and founds none ({nodes} in sight); if \
                     a majority has lost theirs, see `casty recover`"
                ));
            }
            return Some(format!("enough nodes to found the cluster, or one that has joined it ({nodes} in sight)"));
        };
        let Some(topology) = self.inner.topology().filter(|now| now.nodes().contains_key(&self.inner.me)) else {
            return Some("the cluster to admit this node".to_owned());
        };
        let led = |group: &GroupId| self.inner.router.leader(*group).is_some();
        if let Some(group) = (0..=charter.groups).map(GroupId).find(|group| !led(group)) {
            return Some(format!("a leader of group {group}"));
        }
        // A program may start its state machines only when the node is ready.
        let counts = |group: &GroupId| *group == GroupId::META || topology.followers(*group).is_none();
        let changing = |at: &Placement| !at.is_settled() && at.replicas.contains(&self.inner.me);
        if let Some((group, _)) = topology.placements().iter().find(|(id, at)| counts(id) && changing(at)) {
            return Some(format!("the replica of group {group} to be counted on"));
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

    /// The living actor of this name, wherever it is: it was spawned with [`named`](crate::actor::Spawn::named) on a node of the
    /// cluster. It waits for a name that is not there yet. Nobody is asked: every node knows the names.
    ///
    /// ```no_run
    /// # use casty::prelude::*;
    /// # #[message] pub struct Say(String);
    /// # pub struct ChatRoom; #[actor] impl ChatRoom { #[handler] fn say(&mut self, _: Say) {} }
    /// # async fn example(node: casty::Node, other: casty::Node) -> Result<(), Box<dyn std::error::Error>> {
    /// let _room = node.spawn(ChatRoom).named("general").await?;
    /// let room: ActorRef<ChatRoom> = other.lookup("general").await?;
    /// room.say(Say("hello".into())).await?;
    /// # Ok(()) }
    /// ```
    pub fn lookup<A: Addressed>(&self, name: impl Into<String>) -> Lookup<A> {
        Lookup::new(self.inner.clone(), name.into())
    }

    /// Which node's actor has a name, as that changes.
    pub fn watch_name(&self, name: impl Into<String>) -> NameWatch {
        NameWatch::new(self.inner.clone(), name.into())
    }

    /// An actor of which there is one instance in the whole cluster, about to be started. It is called like an entity, and
    /// promises what an entity does. Its state is kept if it is [`Persistent`]; otherwise each instance begins anew.
    ///
    /// ```no_run
    /// # use casty::prelude::*;
    /// # #[message] pub struct Get { pub key: String }
    /// # #[persistent] pub struct Config { values: std::collections::BTreeMap<String, String> }
    /// # #[actor] impl Config {
    /// #     fn new(_id: EntityId) -> Self { Self { values: Default::default() } }
    /// #     #[handler] fn get(&self, msg: Get) -> Option<String> { self.values.get(&msg.key).cloned() }
    /// # }
    /// # async fn example(node: casty::Node) -> Result<(), Box<dyn std::error::Error>> {
    /// let config = node.singleton::<Config>("config").start().await?;
    /// let colour = config.get(Get { key: "colour".into() }).await?;
    /// # Ok(()) }
    /// ```
    pub fn singleton<A: Registered + FromId>(&self, name: impl Into<String>) -> StartSingleton<A> {
        StartSingleton::new(self.inner.clone(), name.into())
    }

    /// Has a state machine of your own replicated: a consensus group of its own, with a copy on every node that calls this
    /// under the same name. It begins as soon as a majority of the nodes that are to vote in it have called, and waits a second
    /// for the others.
    ///
    /// ```no_run
    /// # use casty::StateMachine;
    /// # use casty::base::BoxError;
    /// #[derive(Default)]
    /// struct Tally(u64);
    ///
    /// impl StateMachine for Tally {
    ///     type Command = u64;
    ///     type Output = u64;
    ///
    ///     fn apply(&mut self, more: u64) -> u64 {
    ///         self.0 += more;
    ///         self.0
    ///     }
    ///
    ///     fn snapshot(&self) -> Result<Vec<u8>, BoxError> {
    ///         Ok(self.0.to_le_bytes().to_vec())
    ///     }
    ///
    ///     fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
    ///         self.0 = u64::from_le_bytes(snapshot.try_into()?);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # async fn example(node: casty::Node) -> Result<(), Box<dyn std::error::Error>> {
    /// let tally = node.replicate("tally", Tally::default()).await?;
    /// tally.apply(5_u64).await?;
    /// let now = tally.read(|tally| tally.0).await?;
    /// # Ok(()) }
    /// ```
    pub fn replicate<M: StateMachine>(&self, name: impl Into<String>, machine: M) -> Replicate<M> {
        Replicate::new(self.inner.clone(), name.into(), machine)
    }

    /// Copies what this node has in its `data_dir`, as it is at one moment, to a folder that has no copy yet. The node runs on.
    ///
    /// Copies of all nodes, or of a majority of those that hold each group, are a backup of the cluster: all that was
    /// answered before the first of them was begun is in it. [`recover`] makes a cluster of them.
    pub async fn backup(&self, folder: impl Into<PathBuf>) -> Result<(), BackupError> {
        self.inner.stores.back_up(folder.into()).await
    }

    /// The address at which other nodes reach this one.
    pub fn address(&self) -> String {
        self.cluster.me().addr.clone()
    }

    /// The name of this node.
    pub fn id(&self) -> NodeId {
        self.cluster.me().id.clone()
    }

    /// This node: its name, this life of it, and where others reach it.
    pub fn me(&self) -> Member {
        self.cluster.me().clone()
    }

    /// The nodes that are alive, this one among them, by id.
    pub fn members(&self) -> Vec<Member> {
        self.cluster.members()
    }

    /// Whether this node leads the cluster's meta group, with a majority that still follows it.
    pub fn is_leader(&self) -> bool {
        self.inner.leads_meta()
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

    /// Where every group is to be, the meta group first, as far as this node has heard. Empty until it follows a cluster.
    pub fn placements(&self) -> Vec<GroupPlacement> {
        let Some(topology) = self.inner.topology() else { return Vec::new() };
        let name = |node: &NodeKey| topology.nodes().get(node).map(|entry| entry.id.clone());
        let placement = |(group, at): (&GroupId, &Placement)| GroupPlacement {
            group: *group,
            replicas: at.replicas.iter().filter_map(name).collect(),
            settled: at.is_settled(),
        };
        topology.placements().iter().map(placement).collect()
    }

    /// Where the consensus groups stand that this node follows: those whose replicas it holds, and the meta group.
    pub fn groups(&self) -> Vec<(GroupId, GroupStatus)> {
        self.inner.host.groups().iter().map(|group| (group.id(), group.status())).collect()
    }

    /// Waits until this life of the node is over, though nobody has shut it down, and says why: start another. Its actors run on until
    /// then, but the others see it no more. It never ends for a node that is well.
    pub async fn ended(&self) -> NotReady {
        self.inner.ended().await
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
        self.inner.tasks.lock().abort_all();
        // The task that was about to do it may have been among them.
        self.inner.end_life().await;
        self.inner.stores.close().await;
        report
    }

    fn leader_of(&self, group: GroupId) -> Option<NodeId> {
        self.name_of(self.inner.router.leader(group)?.leader.node)
    }

    fn name_of(&self, key: NodeKey) -> Option<NodeId> {
        self.inner.topology()?.nodes().get(&key).map(|entry| entry.id.clone())
    }
}

/// Where a group is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupPlacement {
    /// The group.
    pub group: GroupId,
    /// The nodes that vote in it. The first should lead it.
    pub replicas: Vec<NodeId>,
    /// Whether it is there: no node is being replaced by another at the moment.
    pub settled: bool,
}

impl Deref for Node {
    type Target = ActorSystem;

    fn deref(&self) -> &ActorSystem {
        &self.inner.system
    }
}

/// What a crash would do: the links close at once, and nobody is told. The folder is free a moment later.
impl Drop for Node {
    fn drop(&mut self) {
        // First, or the actors, which end with their system, would tell of it.
        self.cluster.cut();
        self.inner.tasks.lock().abort_all();
        let (host, stores) = (self.inner.host.clone(), self.inner.stores.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                host.shutdown().await;
                stores.close().await;
            });
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.id()).field("address", &self.address()).finish_non_exhaustive()
    }
}
