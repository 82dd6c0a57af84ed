//! The parts of a running node, and what holds them together.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::{Notify, OnceCell, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::NotReady;
use super::agreement::Proposals;
use super::control::Control;
use super::desk::Desk;
use super::events::ClusterEvent;
use super::founding::{Charter, Founder, Founding, Step};
use super::life::{Life, Membership};
use super::links::NodeLinks;
use super::machines::Machines;
use super::meta::Agreed;
use super::names::Names;
use super::stewardship::Stewardship;
use crate::actor::{ActorSystem, Topic};
use crate::base::{GroupId, NodeId, NodeKey};
use crate::cluster::{Lane, Role};
use crate::raft::{Group, Host};
use crate::remote::Hub;
use crate::sharding::{Announcement, Kinds, Leading, LiveEntities, Origins, Regions, Router};
use crate::storage::Stores;
use crate::wire::Kind;

/// How often a node looks for the others until the cluster is founded.
const FOUNDING_PERIOD: Duration = Duration::from_millis(100);

/// How often a node repeats who leads what. Changes are told at once; this mends what was lost.
const ANNOUNCE_PERIOD: Duration = Duration::from_secs(1);

/// The parts of a node.
pub(super) struct Inner {
    pub(super) me: NodeKey,
    pub(super) id: NodeId,
    pub(super) system: ActorSystem,
    pub(super) links: Arc<NodeLinks>,
    pub(super) host: Arc<Host>,
    pub(super) router: Arc<Router>,
    pub(super) hub: Arc<Hub>,
    /// The clients that are connected to this node.
    pub(super) desk: Desk,
    pub(super) kinds: Kinds,
    pub(super) origins: Arc<Origins>,
    pub(super) live: Arc<LiveEntities>,
    pub(super) stores: Arc<dyn Stores>,
    pub(super) life: Life,
    /// Held while groups are opened or closed.
    pub(super) holding: tokio::sync::Mutex<()>,
    /// Set once the cluster has forgotten what the earlier processes of this life had.
    pub(super) freed: OnceCell<()>,
    pub(super) founding: Mutex<Founding>,
    pub(super) regions: Arc<Regions>,
    pub(super) proposals: Proposals,
    /// What the cluster has agreed on.
    pub(super) agreed: Arc<Agreed>,
    pub(super) names: Arc<Names>,
    pub(super) stewardship: Stewardship,
    pub(super) machines: Machines,
    /// Where it is told what happens to the cluster.
    pub(super) events: Topic<ClusterEvent>,
    /// A node that is away for so long is given up.
    pub(super) remove_after: Duration,
    /// The latest word on the meta group's leadership here.
    pub(super) meta: Mutex<Option<Leading>>,
    pub(super) tasks: Mutex<JoinSet<()>>,
    /// The node has asked to leave.
    pub(super) leaving: AtomicBool,
    /// The cluster has said that it counts on this node no more, which had asked to leave.
    pub(super) told_over: Notify,
    /// Why this life of the node is over, though nobody has shut it down.
    pub(super) ended: watch::Sender<Option<NotReady>>,
}

impl Inner {
    /// Runs `task` until the node is shut down.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Looks for the other founders, until there is a cluster; then repeats announcements.
    pub(super) async fn run(self: Arc<Self>) {
        let mut founding = tokio::time::interval(FOUNDING_PERIOD);
        let mut announce = tokio::time::interval(ANNOUNCE_PERIOD);
        founding.set_missed_tick_behavior(MissedTickBehavior::Delay);
        announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let founded = self.charter().is_some();
            tokio::select! {
                _ = founding.tick(), if !founded => {
                    let step = self.founding.lock().look(self.candidates());
                    self.take(step);
                }
                _ = announce.tick() => {
                    self.announce(None);
                    let step = self.founding.lock().review(&self.candidates(), self.is_untouched());
                    self.take(step);
                }
            }
        }
    }

    /// The charter of the cluster, if this node knows one.
    pub(super) fn charter(&self) -> Option<Charter> {
        self.founding.lock().charter().cloned()
    }

    /// Does what the founding asks for.
    pub(super) fn take(self: &Arc<Self>, step: Option<Step>) {
        match step {
            None => {}
            Some(Step::Promise(charter)) => {
                let promise = Control::Promise(charter.clone());
                for key in charter.keys().into_iter().filter(|key| *key != self.me) {
                    self.control(key, &promise);
                }
            }
            Some(Step::Visit(charter)) => {
                tracing::info!(cluster = format!("{:016x}", charter.cluster_id()), "found a cluster, and follows it");
                self.follow(Membership { charter, founding: false });
            }
            Some(Step::Withdraw(charter)) => {
                let cluster_id = charter.cluster_id();
                for key in charter.keys().into_iter().filter(|key| *key != self.me) {
                    self.control(key, &Control::Refused { cluster_id });
                }
            }
            Some(Step::Found(charter)) => self.join(charter),
            Some(Step::Abandon(charter)) => self.abandon(&charter),
        }
    }

    /// Nothing will ever come of this node's cluster: tells everyone, and ends.
    fn abandon(self: &Arc<Self>, charter: &Charter) {
        let cluster_id = charter.cluster_id();
        tracing::error!(
            cluster = format!("{cluster_id:016x}"),
            "its founders parted before anything came of this cluster; restart the node, and it founds another with them"
        );
        self.control_all(&Control::Abandoned { cluster_id });
        self.end(NotReady::Abandoned);
    }

    /// Whether the groups of this node hold no entry of any leader: nothing was ever committed with its help.
    fn is_untouched(&self) -> bool {
        // What goes on was touched. The first entry is the one with which every voter begins.
        self.life.first_number() == 0
            && self.host.groups().iter().all(|group| group.status().last_index.unwrap_or(0) == 0)
    }

    /// This life of the node is over: it takes no requests and leads nothing any more, and goes out of the sight of the others, who
    /// else would count on it for as long as its process runs.
    pub(super) fn end(self: &Arc<Self>, why: NotReady) {
        // A group may notice first.
        let store_failed = || self.stores.failure().now_or_never().is_some();
        let why = if why == NotReady::GroupFailed && store_failed() { NotReady::StoreFailed } else { why };
        let first = self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert(why);
            first
        });
        if !first {
            return;
        }
        self.router.close(&why.to_string());
        self.hub.close(&why.to_string());
        let inner = self.clone();
        self.spawn(async move {
            inner.host.shutdown().await;
            inner.end_life().await;
            if let Some(cluster) = inner.links.cluster() {
                cluster.shutdown().await;
            }
        });
    }

    /// Ends this life of the node when its store fails. A group learns that from its next write, and one that leads may have
    /// none: what it is asked needs rows that cannot be read.
    pub(super) async fn end_with_the_store(self: Arc<Self>) {
        let error = self.stores.failure().await;
        tracing::error!(%error, "nothing can be stored or read any more; this life of the node is over");
        self.end(NotReady::StoreFailed);
    }

    /// Has the next process begin another life, if the cluster counts on this one no more.
    pub(super) async fn end_life(&self) {
        let over = [NotReady::Removed, NotReady::Superseded, NotReady::Abandoned];
        if self.ended.borrow().is_some_and(|why| over.contains(&why))
            && let Err(error) = self.life.end().await
        {
            tracing::error!(%error, "the end of this life of the node cannot be stored; its next process will hear of it again");
        }
    }

    /// Waits for [`end`](Self::end).
    pub(super) async fn ended(&self) -> NotReady {
        let mut ended = self.ended.subscribe();
        // The sender is as long-lived as this.
        let why = ended.wait_for(Option::is_some).await.ok().and_then(|why| *why);
        why.unwrap_or(NotReady::ShutDown)
    }

    /// The cluster is founded, and this node is one of its founders.
    fn join(self: &Arc<Self>, charter: Charter) {
        // Those whose link comes up later are told then.
        self.control_all(&Control::Founded(charter.clone()));
        tracing::info!(
            cluster = format!("{:016x}", charter.cluster_id()),
            founders = charter.founders.len(),
            groups = charter.groups,
            replicas = charter.replicas,
            "the cluster is founded"
        );
        self.follow(Membership { charter, founding: true });
    }

    /// Tells the cluster when this node begins or ceases to lead the meta group.
    pub(super) async fn watch_meta(self: Arc<Self>, group: Arc<Group>) {
        let mut leadership = group.leadership();
        let mut epoch = 0;
        loop {
            let ours = leadership.borrow_and_update().ours;
            let was = *self.meta.lock();
            if ours != was.filter(|leading| leading.open).map(|leading| leading.leader) {
                if let Some(leading) = was.filter(|leading| leading.open) {
                    self.set_meta(Leading { open: false, ..leading });
                }
                if let Some(leader) = ours {
                    epoch += 1;
                    self.set_meta(Leading { group: GroupId::META, leader, epoch, open: true });
                }
            }
            if leadership.changed().await.is_err() {
                return;
            }
        }
    }

    fn set_meta(&self, leading: Leading) {
        *self.meta.lock() = Some(leading);
        self.router.learn(&[leading]);
        self.announce(None);
    }

    /// Whether this node leads the meta group, with a majority that still follows it.
    pub(super) fn leads_meta(&self) -> bool {
        self.meta.lock().is_some_and(|leading| leading.open)
    }

    /// Repeats what this node leads: to one peer, or to all.
    pub(super) fn announce(&self, to: Option<NodeKey>) {
        let mut announcement = self.announcement();
        announcement.leading.extend(*self.meta.lock());
        self.router.learn(&announcement.leading);
        let encoded = crate::codec::encode(&announcement).unwrap_or_default();
        let mut write = |out: &mut Vec<u8>| out.extend_from_slice(&encoded);
        match to {
            Some(peer) => {
                self.links.send(peer, Lane::Bulk, Kind::ROUTE, &mut write);
            }
            None => crate::sharding::Post::broadcast(&*self.links, Kind::ROUTE, &mut write),
        }
    }

    fn announcement(&self) -> Announcement {
        let clients = self.desk.origins();
        self.origins.announce(self.me, self.router.origin(), clients.clone());
        let leading = self.regions.all().iter().filter_map(|region| region.leading()).collect();
        let (cluster_id, unfit) = (self.links.cluster_id(), self.kinds.lacks() || self.stores.is_full());
        Announcement { cluster_id, leading, unfit, clients, ..self.router.announcement() }
    }

    /// The live nodes that could found a cluster.
    fn candidates(&self) -> Vec<Founder> {
        let members = self.links.cluster().map(|cluster| cluster.members()).unwrap_or_default();
        let may_found = members.into_iter().filter(|member| member.role == Role::Replica);
        may_found.map(|member| Founder { id: member.id, incarnation: member.incarnation }).collect()
    }

    /// Sends a control frame.
    pub(super) fn control(&self, to: NodeKey, control: &Control) -> bool {
        let encoded: Bytes = crate::codec::encode(control).unwrap_or_default().into();
        self.links.send(to, Lane::Control, Kind::NODE, &mut |out| out.extend_from_slice(&encoded))
    }

    /// Sends a control frame to every other member.
    fn control_all(&self, control: &Control) {
        for member in self.links.cluster().map(|cluster| cluster.members()).unwrap_or_default() {
            if member.key != self.me {
                self.control(member.key, control);
            }
        }
    }
}
