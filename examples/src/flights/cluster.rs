//! The real cluster: the node processes, and this process as an observer that votes nowhere and stores nothing.

use std::time::Duration;

use casty::base::{BoxError, GroupId, NodeId};
use casty::prelude::*;
use futures_util::future::FutureExt;
use tokio::time::timeout;

use super::aircraft::{Aircraft, Departure, Report};
use super::children::{Children, START_LIMIT};
use super::error::{FlightsError, Log};
use super::fleet::{Fleet, Reply};
use super::node::BIND;
use super::options::Job;
use super::rows::Flight;
use super::summary::Summary;

/// The name of the entity type in the cluster.
const ENTITY_TYPE: &str = "aircraft";

/// Shards of the entity type.
const SHARDS: u32 = 100;

/// The name of this process in the cluster.
const OBSERVER: &str = "observer";

/// How long one request may take. A failover fits many times.
const ASK_TIMEOUT: Duration = Duration::from_secs(20);

/// A running cluster.
pub struct Cluster {
    children: Children,
    node: Node,
    aircraft: Sharded<Aircraft>,
}

impl Cluster {
    /// Starts the node processes, joins them, and waits until every group is led.
    pub async fn start(job: &Job) -> Result<Self, FlightsError> {
        let failed = |step, source: BoxError| FlightsError::Node { node: NodeId::from(OBSERVER), step, source };
        let mut children = Children::start(job.nodes, job.replicas()).await?;
        let config = ClusterConfig::new(BIND)
            .tls(Tls::insecure())
            .node_id(OBSERVER)
            .expected_size(usize::from(job.nodes))
            .replicas(usize::from(job.replicas()))
            .seeds(children.addresses())
            .observer();
        let node = ActorSystem::cluster(config).await.map_err(|error| failed("join the cluster", error.into()))?;
        children.ready().await?;
        let declared = async {
            node.ready().await.map_err(|error| failed("become ready", error.into()))?;
            let started = node.sharded::<Aircraft>(ENTITY_TYPE).shards(SHARDS).start().await;
            started.map_err(|error| failed("declare the aircraft", error.into()))
        };
        let in_time = timeout(START_LIMIT, declared).await;
        let aircraft = in_time.map_err(|late| failed("become ready and declare the aircraft", late.into()))??;
        Ok(Self { children, node, aircraft })
    }

    /// An error if a child has ended that was not killed.
    pub fn check(&mut self) -> Result<(), FlightsError> {
        self.children.check()
    }

    /// The last lines that each child wrote to stderr.
    pub fn last_words(&self) -> Vec<(NodeId, Log)> {
        self.children.last_words()
    }

    /// Leaves the cluster and ends its processes.
    pub async fn stop(self) {
        self.node.shutdown().await;
        self.children.stop().await;
    }
}

impl Fleet for Cluster {
    fn depart(&self, ordinal: u64, flight: &Flight) -> Reply<u64> {
        let aircraft = self.aircraft.entity(flight.tailnum.as_str());
        let departure = Departure { ordinal, flight: flight.clone() };
        async move { Ok(aircraft.depart(departure).timeout(ASK_TIMEOUT).await?) }.boxed_local()
    }

    fn report(&self, tailnum: &str, sent: u64) -> Reply<Summary> {
        let aircraft = self.aircraft.entity(tailnum);
        async move { Ok(aircraft.report(Report { sent }).timeout(ASK_TIMEOUT).await?) }.boxed_local()
    }

    fn group_of(&self, tailnum: &str) -> GroupId {
        self.aircraft.group_of(tailnum)
    }

    fn leaders(&self) -> Vec<(GroupId, Option<NodeId>)> {
        self.node.leaders()
    }

    fn living(&self) -> Vec<NodeId> {
        self.children.living()
    }

    fn kill(&mut self, node: &NodeId) -> Result<(), FlightsError> {
        self.children.kill(node)
    }
}
