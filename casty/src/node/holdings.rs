//! The groups of which this node holds replicas: they are opened and closed as the meta group places them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::founding::Charter;
use super::inner::Inner;
use super::meta::{Command, Meta, Topology};
use crate::base::{GroupId, NodeKey};
use crate::raft::{Group, RaftError};
use crate::replication::{GroupState, SharedState};
use crate::sharding::Region;
use crate::sharding::region::RegionParts;
use crate::storage::LogStore;

/// How long it is tried to tell the cluster that a replica was dropped. The next change tries again.
const LET_GO_MAX: Duration = Duration::from_secs(30);

impl Inner {
    /// Begins to follow the cluster of this charter. A founder begins the groups that it was given, with the same first
    /// entry as the others; whoever came later waits for what it is sent.
    pub(super) fn follow(self: &Arc<Self>, charter: Charter, founder: bool) {
        self.links.found(charter.cluster_id());
        self.router.found(charter.groups);
        self.spawn(self.clone().attend());
        let inner = self.clone();
        self.spawn(async move {
            let topology = Topology::founded(&charter);
            if let Err(error) = inner.open_meta(&topology, founder).await {
                return tracing::error!(%error, "the meta group cannot start; this node takes no part in the cluster");
            }
            if founder {
                for (group, placement) in topology.placements() {
                    if *group != GroupId::META && placement.has(inner.me) {
                        inner.open(*group, &placement.replicas).await;
                    }
                }
            }
            inner.hold().await;
        });
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
            let (group, open) = (*group, self.host.group(*group).is_some());
            if placement.has(self.me) && !open {
                tracing::info!(%group, "this node takes a replica of the group");
                self.open(group, &[]).await;
            }
            // Not merely because it is not placed here: others may count on it still, or again.
            if placement.leaving.contains(&self.me) {
                if open {
                    tracing::info!(%group, "this node holds the group no more");
                    self.regions.remove(group);
                    self.host.close(group).await;
                }
                let inner = self.clone();
                self.spawn(async move {
                    let let_go = Command::LetGo { group, node: inner.me };
                    inner.agree(&let_go, Instant::now() + LET_GO_MAX).await;
                });
            }
        }
        self.close_machines_elsewhere(topology).await;
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
