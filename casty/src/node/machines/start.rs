//! Starting a machine: the meta group gives it a group as soon as enough nodes have it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::adapter::{Adapter, Copy};
use super::{AnyMachine, ReplicateError, Replicated, StateMachine};
use crate::base::GroupId;
use crate::node::inner::Inner;
use crate::node::meta::{Command, MACHINES_MAX, Topology, Verdict};
use crate::sharding::allocation::Placement;

/// How long the other nodes have to start the machine too.
const START_MAX: Duration = Duration::from_secs(30);

/// How long to wait, once a majority has the machine, for the others.
const COMPANY_MAX: Duration = Duration::from_secs(1);

/// A state machine about to be replicated; made by [`Node::replicate`](crate::Node::replicate).
#[must_use = "nothing is replicated until it is awaited"]
pub struct Replicate<M> {
    inner: Arc<Inner>,
    name: String,
    machine: M,
    within: Duration,
}

impl<M: StateMachine> Replicate<M> {
    pub(in crate::node) fn new(inner: Arc<Inner>, name: String, machine: M) -> Self {
        Self { inner, name, machine, within: START_MAX }
    }

    /// How long to wait for the other nodes. Default: 30 s.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    async fn start(self) -> Result<Replicated<M>, ReplicateError> {
        let Self { inner, name, machine, within } = self;
        if let Some(handle) = inner.machines.handle(&name) {
            let other = |_| ReplicateError::Taken { name: name.clone() };
            let replicated = handle.downcast::<Replicated<M>>().map_err(other)?;
            let group = replicated.shared.group.id();
            if inner.topology().is_some_and(|now| now.machine(&name) == Some(group) && now.has_begun(group)) {
                return Ok((*replicated).clone());
            }
        }
        if !inner.machines.begin(&name) {
            return Err(ReplicateError::Taken { name });
        }
        let attempt = inner.machines.next_attempt();
        let mut starting = Starting { inner, name, attempt, succeeded: false };
        let replicated = starting.start(machine, within).await?;
        starting.succeeded = true;
        Ok(replicated)
    }
}

/// A machine that this program starts. However that ends, the cluster and the node are told.
struct Starting {
    inner: Arc<Inner>,
    name: String,
    attempt: u64,
    succeeded: bool,
}

impl Starting {
    async fn start<M: StateMachine>(&self, machine: M, within: Duration) -> Result<Replicated<M>, ReplicateError> {
        let (inner, name, deadline) = (&self.inner, self.name.as_str(), Instant::now() + within);
        let unavailable = || ReplicateError::Unavailable { name: name.to_owned(), after: within };
        let offer = Command::Offer { name: name.to_owned(), node: inner.me, attempt: self.attempt };
        match inner.agree(&offer, deadline).await {
            Some(Verdict::Agreed) => {}
            Some(_) => return Err(ReplicateError::TooMany { name: name.to_owned(), max: MACHINES_MAX }),
            None => return Err(unavailable()),
        }
        let (mut agreed, copy) = (inner.watch_topology(), Copy::new(machine));
        let (group, replicated) = loop {
            let (id, topology) = timeout_at(deadline, placed(&mut agreed, name)).await.map_err(|_| unavailable())?;
            let opened = open(inner, name, id, &copy, &topology).await?;
            inner.machines.keep(name, Arc::new(opened.clone()));
            // If one that it counts on goes before it has begun, it begins in another group.
            let settled = |now: &Topology| now.machine(name) != Some(id) || now.has_begun(id);
            let now = timeout_at(deadline, agreed.wait_for(|now| now.as_deref().is_some_and(settled))).await;
            let now = now.ok().and_then(Result::ok).and_then(|now| now.clone()).ok_or_else(unavailable)?;
            if now.machine(name) == Some(id) {
                break (id, opened);
            }
        };
        let mut leadership = replicated.leadership();
        let led = timeout_at(deadline, leadership.wait_for(|now| now.leader.is_some())).await;
        led.map_err(|_| unavailable())?.map_err(|_| unavailable())?;
        // A machine that began with a bare majority can lose none of it. The others are most likely about to call.
        let whole = |topology: &Topology| topology.is_whole(group);
        let whole = agreed.wait_for(|now| now.as_deref().is_some_and(whole));
        if timeout_at(deadline.min(Instant::now() + COMPANY_MAX), whole).await.is_err() {
            tracing::warn!(name, "fewer nodes vote in a state machine than could: start it on every node");
        }
        Ok(replicated)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let (inner, name) = (self.inner.clone(), std::mem::take(&mut self.name));
        inner.machines.started(&name);
        if !self.succeeded {
            let (of, attempt) = (inner.clone(), self.attempt);
            inner.spawn(async move {
                // It does nothing once the machine has begun: this node's copy stays, and a later call gets it.
                let withdraw = Command::Withdraw { name, node: of.me, attempt };
                of.agree(&withdraw, Instant::now() + START_MAX).await;
            });
        }
    }
}

/// Waits until the machine has a group with a place.
async fn placed(agreed: &mut watch::Receiver<Option<Arc<Topology>>>, name: &str) -> (GroupId, Arc<Topology>) {
    let group = |topology: &Topology| topology.machine(name).filter(|group| topology.placements().contains_key(group));
    loop {
        let now = agreed.borrow_and_update().clone();
        if let Some((group, topology)) = now.and_then(|topology| Some((group(&topology)?, topology))) {
            return (group, topology);
        }
        // The sender lives as long as the node.
        if agreed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn open<M: StateMachine>(
    inner: &Arc<Inner>,
    name: &str,
    id: GroupId,
    copy: &Arc<Copy<M>>,
    topology: &Topology,
) -> Result<Replicated<M>, ReplicateError> {
    let failed = |why: String| ReplicateError::NotStarted { name: name.to_owned(), why };
    // Those that it begins with write its first entry, each the same; everyone else waits for what it is sent.
    let founds = |placement: &&Placement| !topology.has_begun(id) && placement.has(inner.me);
    let voters = topology.placements().get(&id).filter(founds).map_or(&[][..], |placement| &placement.replicas);
    let log = inner.stores.log(id).map_err(|error| failed(error.to_string()))?;
    let group = inner.host.open(id, log, Box::new(Adapter(copy.clone())), voters).await;
    let group = group.map_err(|error| failed(error.to_string()))?;
    inner.lead_first(group.clone(), voters);
    let name: Arc<str> = name.into();
    inner.machines.insert(AnyMachine { group: group.clone(), copy: copy.clone() });
    inner.stewardship.wake();
    Ok(Replicated::new(name, inner.clone(), group, copy.clone()))
}

impl<M: StateMachine> IntoFuture for Replicate<M> {
    type Output = Result<Replicated<M>, ReplicateError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
