//! The groups of which this node holds replicas: they are opened and closed as the meta group places them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::NotReady;
use super::inner::Inner;
use super::life::Membership;
use super::meta::{Command, Meta, Topology, Verdict};
use crate::base::{BoxError, GroupId, NodeKey};
use crate::raft::{Group, RaftError};
use crate::replication::{GroupState, SharedState};
use crate::sharding::Region;
use crate::sharding::region::RegionParts;
use crate::storage::{LogStore, durably};

/// How long it is tried to tell the cluster that a replica was dropped. The next change tries again.
const LET_GO_MAX: Duration = Duration::from_secs(30);

/// How long it is tried to tell the cluster that the node has started anew. Who needs it tries again.
const FREE_MAX: Duration = Duration::from_secs(60);

impl Inner {
    /// Begins to follow the cluster of this charter. A founder begins the groups that it was given, with the same first
    /// entry as the others; whoever came later waits for what it is sent; and whoever was here before goes on with what it
    /// has stored.
    pub(super) fn follow(self: &Arc<Self>, membership: Membership) {
        self.links.found(membership.charter.cluster_id());
        self.router.found(membership.charter.groups);
        self.spawn(self.clone().attend());
        let inner = self.clone();
        self.spawn(async move {
            if let Err(error) = inner.begin(membership).await {
                tracing::error!(%error, "this node cannot take part in the cluster");
                return inner.end(NotReady::GroupFailed);
            }
            tokio::join!(inner.hold(), inner.free_what_was_before());
        });
    }

    /// Opens the groups that are here already, or that a founder was given.
    async fn begin(self: &Arc<Self>, membership: Membership) -> Result<(), BoxError> {
        // Nothing is stored of a group before it is stored whose it is.
        self.life.join(&membership).await?;
        let Membership { charter, founding } = membership;
        let topology = Topology::founded(&charter);
        self.open_meta(&topology, founding).await?;
        if !founding {
            let data = |group: &GroupId| *group != GroupId::META && group.0 <= charter.groups;
            for group in self.stores.groups()?.into_iter().filter(data) {
                self.try_open(group, &[]).await?;
            }
            return Ok(());
        }
        for (group, placement) in topology.placements() {
            if *group != GroupId::META && placement.has(self.me) {
                self.try_open(*group, &placement.replicas).await?;
            }
        }
        // From here on a group without a log is one that this node has dropped.
        self.life.join(&Membership { charter, founding: false }).await?;
        Ok(())
    }

    async fn open_meta(self: &Arc<Self>, topology: &Topology, founder: bool) -> Result<(), RaftError> {
        let votes = topology.placements().get(&GroupId::META).map_or(&[][..], |placement| &placement.replicas);
        let voters = if founder && votes.contains(&self.me) { votes } else { &[] };
        let meta = Box::new(Meta::new(topology.clone(), self.kinds.clone(), self.agreed.clone(), self.names.clone()));
        let group = self.host.open(GroupId::META, self.log(GroupId::META)?, meta, voters).await?;
        self.spawn(self.clone().watch_meta(group.clone()));
        self.spawn(self.clone().tell_events(group.clone()));
        self.lead_first(group, voters);
        Ok(())
    }

    /// Opens and closes groups for as long as the node runs.
    async fn hold(self: &Arc<Self>) {
        let mut agreed = self.agreed.subscribe();
        loop {
            let topology = agreed.borrow_and_update().clone();
            if let Some(topology) = topology {
                self.hold_as(&topology).await;
            }
            if agreed.changed().await.is_err() {
                return;
            }
        }
    }

    async fn hold_as(self: &Arc<Self>, topology: &Topology) {
        // The meta group and those of state machines are followed by whoever has them.
        let data = topology.placements().iter().filter(|(group, _)| topology.followers(**group).is_none());
        for (group, placement) in data {
            let _held = self.holding.lock().await;
            let (group, open) = (*group, self.host.group(*group));
            match open {
                None if placement.has(self.me) => {
                    tracing::info!(%group, "this node takes a replica of the group");
                    self.open(group, &[]).await;
                }
                // It was opened by what the node had stored of the cluster, and nobody has sent anything.
                Some(open)
                    if !placement.has(self.me)
                        && !placement.leaving.contains(&self.me)
                        && open.status().last_index.is_none() =>
                {
                    self.close_data_group(group).await;
                }
                _ => {}
            }
            // Not merely because it is not placed here: others may count on it still, or again.
            if placement.leaving.contains(&self.me) {
                self.spawn(self.clone().let_go(group, placement.epoch));
            }
        }
        self.close_machines_elsewhere(topology).await;
    }

    /// Drops the replica of a group that was placed elsewhere at this epoch, and says so.
    async fn let_go(self: Arc<Self>, group: GroupId, epoch: u64) {
        let deadline = Instant::now() + LET_GO_MAX;
        // A node that has just started may have an old view, and others may count on the replica again since. While it is
        // as it says, nobody places the group here.
        if self.agree(&Command::Check { group, epoch }, deadline).await != Some(Verdict::Agreed) {
            return;
        }
        {
            let _held = self.holding.lock().await;
            let leaves = |now: &Topology| now.placements().get(&group).is_some_and(|at| at.leaving.contains(&self.me));
            if !self.topology().is_some_and(|now| leaves(&now)) {
                return;
            }
            if self.host.group(group).is_some() {
                tracing::info!(%group, "this node holds the group no more");
                self.close_data_group(group).await;
            }
            if let Err(error) = durably(|done| self.stores.forget(group, done)).await {
                return tracing::error!(%group, %error, "a replica that is not needed any more cannot be removed");
            }
        }
        self.agree(&Command::LetGo { group, node: self.me }, deadline).await;
    }

    async fn close_data_group(&self, group: GroupId) {
        self.regions.remove(group);
        self.host.close(group).await;
    }

    /// Has the cluster forget, once, what the earlier processes of this life had: names of actors that are gone, and state
    /// machines that are not begun. Whether it has.
    pub(super) async fn free_what_was_before(&self) -> bool {
        let below = self.life.first_number();
        if below == 0 {
            return true;
        }
        let restarted = Command::Restarted { node: self.me, below };
        let free = async || match self.agree(&restarted, Instant::now() + FREE_MAX).await {
            Some(_) => Ok(()),
            None => Err(()),
        };
        self.freed.get_or_try_init(free).await.is_ok()
    }

    /// Opens a data group: it begins with these voters, or waits for a leader.
    async fn open(self: &Arc<Self>, id: GroupId, voters: &[NodeKey]) {
        if let Err(error) = self.try_open(id, voters).await {
            tracing::error!(group = %id, %error, "a group cannot start; it is tried again when the cluster changes");
        }
    }

    async fn try_open(self: &Arc<Self>, id: GroupId, voters: &[NodeKey]) -> Result<(), RaftError> {
        let rows = self.stores.state(id).map_err(|source| RaftError::Store { group: id, source })?;
        let state = SharedState::new(GroupState::new(rows));
        let group = self.host.open(id, self.log(id)?, Box::new(state.clone()), voters).await?;
        self.lead_first(group.clone(), voters);
        let (region, task) = Region::new(self.region_parts(group, state), self.router.clone());
        self.regions.insert(region);
        // It announces itself to the router as soon as it opens.
        self.spawn(task);
        Ok(())
    }

    /// Stands for election if this node should lead a new group: leaderships are spread from the start.
    pub(super) fn lead_first(&self, group: Arc<Group>, voters: &[NodeKey]) {
        if voters.first() == Some(&self.me) {
            self.spawn(async move { group.campaign().await });
        }
    }

    fn log(&self, group: GroupId) -> Result<Arc<dyn LogStore>, RaftError> {
        self.stores.log(group).map_err(|source| RaftError::Store { group, source })
    }

    fn region_parts(&self, group: Arc<Group>, state: SharedState) -> RegionParts {
        RegionParts {
            me: self.me,
            node: self.id.clone(),
            cluster_id: self.links.cluster_id().unwrap_or_default(),
            groups: self.router.groups().unwrap_or_default(),
            group,
            state,
            kinds: self.kinds.clone(),
            origins: self.origins.clone(),
            post: self.links.clone(),
            system: self.system.clone(),
            live: self.live.clone(),
        }
    }

    /// What the cluster has agreed on, as far as this node has heard.
    pub(super) fn topology(&self) -> Option<Arc<Topology>> {
        self.agreed.borrow().clone()
    }

    /// The same, as it changes.
    pub(super) fn watch_topology(&self) -> watch::Receiver<Option<Arc<Topology>>> {
        self.agreed.subscribe()
    }
}
