//! Starting a machine: the meta group gives it a group as soon as enough nodes have it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::adapter::{Adapter, Copy};
use super::{AnyMachine, ReplicateError, Replicated, StateMachine};
use crate::base::GroupId;
use crate::node::inner::Inner;
use crate::node::meta::{Command, MACHINES_MAX, Topology, Verdict};

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
        let deadline = Instant::now() + within;
        if inner.machines.has(&name) {
            return Err(ReplicateError::Taken { name });
        }
        let offer = Command::Offer { name: name.clone(), node: inner.me };
        let unavailable = || ReplicateError::Unavailable { name: name.clone(), after: within };
        match inner.agree(&offer, deadline).await {
            Some(Verdict::Agreed) => {}
            Some(_) => return Err(ReplicateError::TooMany { name, max: MACHINES_MAX }),
            None => return Err(unavailable()),
        }
        let mut agreed = inner.watch_topology();
        let begun = |topology: &Topology| {
            topology.machine(&name).is_some_and(|group| topology.placements().contains_key(&group))
        };
        let begun = timeout_at(deadline, agreed.wait_for(|now| now.as_deref().is_some_and(begun))).await;
        let topology = begun.ok().and_then(Result::ok).and_then(|now| now.clone()).ok_or_else(unavailable)?;
        let group = topology.machine(&name).ok_or_else(unavailable)?;
        let replicated = open(&inner, &name, group, machine, &topology).await?;
        let mut leadership = replicated.leadership();
        let led = timeout_at(deadline, leadership.wait_for(|now| now.leader.is_some())).await;
        led.map_err(|_| unavailable())?.map_err(|_| unavailable())?;
        // A machine that began with a bare majority can lose none of it. The others are most likely about to call.
        let whole = |topology: &Topology| topology.is_whole(group);
        let whole = agreed.wait_for(|now| now.as_deref().is_some_and(whole));
        if timeout_at(deadline.min(Instant::now() + COMPANY_MAX), whole).await.is_err() {
            tracing::warn!(
                name = replicated.name(),
                "fewer nodes vote in a state machine than could: start it on every node"
            );
        }
        Ok(replicated)
    }
}

async fn open<M: StateMachine>(
    inner: &Arc<Inner>,
    name: &str,
    id: GroupId,
    machine: M,
    topology: &Topology,
) -> Result<Replicated<M>, ReplicateError> {
    let failed = |why: String| ReplicateError::NotStarted { name: name.to_owned(), why };
    // Those that it begins with write its first entry, each the same; everyone else waits for what it is sent.
    let founding = topology.placements().get(&id).filter(|placement| placement.epoch == 0 && placement.has(inner.me));
    let voters = founding.map_or(&[][..], |placement| &placement.replicas);
    let copy = Copy::new(machine);
    let log = inner.stores.log(id).map_err(|error| failed(error.to_string()))?;
    let group = inner.host.open(id, log, Box::new(Adapter(copy.clone())), voters).await;
    let group = group.map_err(|error| failed(error.to_string()))?;
    inner.lead_first(group.clone(), voters);
    let name: Arc<str> = name.into();
    inner.machines.insert(AnyMachine { name: name.clone(), group: group.clone(), copy: copy.clone() });
    inner.stewardship.wake();
    Ok(Replicated::new(name, inner.clone(), group, copy))
}

impl<M: StateMachine> IntoFuture for Replicate<M> {
    type Output = Result<Replicated<M>, ReplicateError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}
