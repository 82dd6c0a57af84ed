//! The parts of a running node, and what holds them together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::NotReady;
use super::control::{Control, Verdict};
use super::founding::{Charter, Founder, Founding, Step};
use super::links::NodeLinks;
use super::meta::Meta;
use crate::actor::ActorSystem;
use crate::base::{GroupId, NodeId, NodeKey, StableMap};
use crate::cluster::{Lane, Role};
use crate::raft::{Group, Host, RaftError};
use crate::remote::Hub;
use crate::replication::{GroupState, SharedState};
use crate::sharding::allocation::{meta_voters, replicas_of};
use crate::sharding::region::RegionParts;
use crate::sharding::{Announcement, Declaration, Kinds, Leading, Origins, Region, Router};
use crate::storage::{LogStore, Stores};
use crate::wire::Kind;

/// How often a node looks for the others until the cluster is founded.
const FOUNDING_PERIOD: Duration = Duration::from_millis(100);

/// How often a node repeats who leads what. Changes are told at once; this mends what was lost.
const ANNOUNCE_PERIOD: Duration = Duration::from_secs(1);

/// Declarations of other nodes that are being decided at one time. More have to come again.
pub(super) const DECISIONS_MAX: usize = 64;

/// The parts of a node.
pub(super) struct Inner {
    pub(super) me: NodeKey,
    pub(super) id: NodeId,
    pub(super) system: ActorSystem,
    pub(super) links: Arc<NodeLinks>,
    pub(super) host: Arc<Host>,
    pub(super) router: Arc<Router>,
    pub(super) hub: Arc<Hub>,
    pub(super) kinds: Kinds,
    pub(super) origins: Arc<Origins>,
    pub(super) stores: Arc<dyn Stores>,
    pub(super) founding: Mutex<Founding>,
    pub(super) regions: Mutex<Vec<Arc<Region>>>,
    pub(super) declares: Mutex<StableMap<u64, oneshot::Sender<Verdict>>>,
    pub(super) next_declare: AtomicU64,
    /// Decisions of the meta group that other nodes wait for.
    pub(super) decisions: Arc<Semaphore>,
    /// The latest word on the meta group's leadership here.
    pub(super) meta: Mutex<Option<Leading>>,
    pub(super) tasks: Mutex<JoinSet<()>>,
    /// Why this life of the node is over, though nobody has shut it down.
    pub(super) ended: watch::Sender<Option<NotReady>>,
}

impl Inner {
    /// Runs `task` until the node is shut down.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
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
                    let step = lock(&self.founding).look(self.candidates());
                    self.take(step);
                }
                _ = announce.tick() => {
                    self.announce(None);
                    let step = lock(&self.founding).review(&self.candidates(), self.is_untouched());
                    self.take(step);
                }
            }
        }
    }

    /// The charter of the cluster, if this node knows one.
    pub(super) fn charter(&self) -> Option<Charter> {
        lock(&self.founding).charter().cloned()
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
                self.links.found(charter.cluster_id());
                self.router.found(charter.groups, Vec::new());
                tracing::info!(
                    cluster = format!("{:016x}", charter.cluster_id()),
                    "joined a cluster, without replicas"
                );
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
    fn abandon(&self, charter: &Charter) {
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
        // The first entry is the one with which every voter begins.
        self.host.groups().iter().all(|group| group.status().last_index.unwrap_or(0) == 0)
    }

    /// This life of the node is over: it takes no requests and leads nothing any more.
    pub(super) fn end(&self, why: NotReady) {
        let first = self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert(why);
            first
        });
        if !first {
            return;
        }
        self.router.close(&why.to_string());
        let host = self.host.clone();
        self.spawn(async move { host.shutdown().await });
    }

    /// Waits for [`end`](Self::end).
    pub(super) async fn ended(&self) -> NotReady {
        let mut ended = self.ended.subscribe();
        // The sender is as long-lived as this.
        let why = ended.wait_for(Option::is_some).await.ok().and_then(|why| *why);
        why.unwrap_or(NotReady::ShutDown)
    }

    /// Starts the groups of which this node holds replicas.
    fn join(self: &Arc<Self>, charter: Charter) {
        self.links.found(charter.cluster_id());
        // Those whose link comes up later are told then.
        self.control_all(&Control::Founded(charter.clone()));
        tracing::info!(
            cluster = format!("{:016x}", charter.cluster_id()),
            founders = charter.founders.len(),
            groups = charter.groups,
            replicas = charter.replicas,
            "the cluster is founded"
        );
        let inner = self.clone();
        self.spawn(async move {
            if let Err(error) = inner.open_groups(&charter).await {
                tracing::error!(%error, "a consensus group cannot start; this node serves without it");
            }
        });
    }

    async fn open_groups(self: &Arc<Self>, charter: &Charter) -> Result<(), RaftError> {
        let keys = charter.keys();
        let voters = meta_voters(&keys);
        if voters.contains(&self.me) {
            let meta = Box::new(Meta::new(self.kinds.clone()));
            let group = self.host.open(GroupId::META, self.log(GroupId::META)?, meta, voters).await?;
            self.spawn(self.clone().watch_meta(group.clone()));
            self.lead_first(group, voters);
        }
        let (mut regions, mut tasks) = (Vec::new(), Vec::new());
        for id in (1..=charter.groups).map(GroupId) {
            let replicas = replicas_of(id, &keys, usize::from(charter.replicas));
            if !replicas.contains(&self.me) {
                continue;
            }
            let rows = self.stores.state(id).map_err(|source| RaftError::Store { group: id, source })?;
            let state = SharedState::new(GroupState::new(rows));
            let group = self.host.open(id, self.log(id)?, Box::new(state.clone()), &replicas).await?;
            self.lead_first(group.clone(), &replicas);
            let (region, task) = Region::new(
                self.region_parts(charter.cluster_id(), group.clone(), &replicas, state),
                self.router.clone(),
            );
            tasks.push(task);
            regions.push(region);
        }
        lock(&self.regions).clone_from(&regions);
        self.router.found(charter.groups, regions);
        // They announce themselves to the router as soon as they open.
        tasks.into_iter().for_each(|task| self.spawn(task));
        Ok(())
    }

    /// Stands for election if this node should lead a new group: leaderships are spread from the start.
    fn lead_first(&self, group: Arc<Group>, voters: &[NodeKey]) {
        if voters.first() == Some(&self.me) {
            self.spawn(async move { group.campaign().await });
        }
    }

    fn log(&self, group: GroupId) -> Result<Arc<dyn LogStore>, RaftError> {
        self.stores.log(group).map_err(|source| RaftError::Store { group, source })
    }

    fn region_parts(
        &self,
        cluster_id: u64,
        group: Arc<Group>,
        replicas: &[NodeKey],
        state: SharedState,
    ) -> RegionParts {
        RegionParts {
            me: self.me,
            node: self.id.clone(),
            cluster_id,
            group,
            replicas: replicas.to_vec(),
            state,
            kinds: self.kinds.clone(),
            origins: self.origins.clone(),
            post: self.links.clone(),
            system: self.system.clone(),
        }
    }

    /// Tells the cluster when this node begins or ceases to lead the meta group.
    async fn watch_meta(self: Arc<Self>, group: Arc<Group>) {
        let mut leadership = group.leadership();
        let mut epoch = 0;
        loop {
            let ours = leadership.borrow_and_update().ours;
            let was = *lock(&self.meta);
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
        *lock(&self.meta) = Some(leading);
        self.router.learn(&[leading]);
        self.announce(None);
    }

    /// Repeats what this node leads: to one peer, or to all.
    pub(super) fn announce(&self, to: Option<NodeKey>) {
        let mut announcement = self.announcement();
        let meta = *lock(&self.meta);
        if meta.is_some_and(|leading| leading.open) {
            announcement.declared = self.kinds.declared();
        }
        announcement.leading.extend(meta);
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
        self.origins.announce(self.me, self.router.origin());
        let leading = lock(&self.regions).iter().filter_map(|region| region.leading()).collect();
        Announcement { cluster_id: self.links.cluster_id(), leading, ..self.router.announcement() }
    }

    /// The live nodes that could found a cluster.
    fn candidates(&self) -> Vec<Founder> {
        let members = self.links.cluster().map(|cluster| cluster.members()).unwrap_or_default();
        let may_found = members.into_iter().filter(|member| member.role == Role::Replica);
        may_found.map(|member| Founder { id: member.id, key: member.key }).collect()
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

    /// Has the meta group decide on a declaration, if this node leads it.
    pub(super) async fn decide(&self, declaration: &Declaration) -> Verdict {
        let Some(group) = self.host.group(GroupId::META) else { return Verdict::Again };
        let Ok(command) = crate::codec::encode(declaration) else { return Verdict::Again };
        let decided = group.write(command.into()).await.ok();
        let verdict = decided.and_then(|output| crate::codec::decode(&output).ok()).unwrap_or(Verdict::Again);
        if verdict == Verdict::Agreed {
            self.announce(None);
        }
        verdict
    }

    /// A new number for a declaration.
    pub(super) fn next_declare(&self) -> u64 {
        self.next_declare.fetch_add(1, Ordering::Relaxed)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
