//! The real cluster: the node processes, and this process as an observer that votes nowhere and stores nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use casty::GroupPlacement;
use casty::base::{BoxError, GroupId, NodeId};
use casty::prelude::*;
use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::time::{interval, timeout};

use super::aircraft::{Aircraft, Departure, Report};
use super::children::{Children, START_LIMIT, Size};
use super::error::{FlightsError, Log};
use super::fleet::{Fleet, Reply};
use super::node::BIND;
use super::options::Job;
use super::report::Rejoined;
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

/// How long the leaderships have to come to where they should be once every killed node has its successor.
const SPREAD_LIMIT: Duration = Duration::from_secs(10);

/// How often it is looked whether they are there.
const LOOK_PERIOD: Duration = Duration::from_millis(10);

/// A running cluster.
pub struct Cluster {
    children: Children,
    node: Node,
    rejoin: bool,
    aircraft: Sharded<Aircraft>,
}

impl Cluster {
    /// Starts the node processes, joins them, and waits until every group is led.
    pub async fn start(job: &Job) -> Result<Self, FlightsError> {
        let failed = |step, source: BoxError| FlightsError::Node { node: NodeId::from(OBSERVER), step, source };
        let mut children = Children::start(Size { nodes: job.nodes, replicas: job.replicas() }).await?;
        let config = ClusterConfig::new(BIND)
            .tls(Tls::insecure())
            .node_id(OBSERVER)
            .expected_size(usize::from(job.nodes))
            .replication(Replication::balanced().replicas(usize::from(job.replicas())))
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
        Ok(Self { children, node, rejoin: job.rejoin, aircraft })
    }

    /// Waits until every group is led by the node that should lead it, or for `SPREAD_LIMIT`, and says what those nodes
    /// have that took the places of killed ones. `None` if there are none.
    pub async fn rejoined(&self) -> Option<Rejoined> {
        let replaced = self.children.replaced();
        let longest = replaced.values().max().copied()?;
        let mut looks = interval(LOOK_PERIOD);
        let spread = async {
            while !self.is_spread() {
                looks.tick().await;
            }
        };
        // What has not moved by then is seen in the figures.
        let _ = timeout(SPREAD_LIMIT, spread).await;
        let is_new = |node: &NodeId| replaced.contains_key(node);
        let placements = self.node.placements();
        let data = placements.iter().filter(|at| at.group != GroupId::META && at.settled);
        let leaders = self.node.leaders();
        Some(Rejoined {
            longest,
            groups: data.flat_map(|at| &at.replicas).filter(|node| is_new(node)).count(),
            leads: leaders.iter().filter(|(_, leader)| leader.as_ref().is_some_and(is_new)).count(),
        })
    }

    /// Whether every group has its replicas, and is led by the first of them.
    fn is_spread(&self) -> bool {
        let meta = (GroupId::META, self.node.leader_id());
        let leaders: BTreeMap<_, _> = self.node.leaders().into_iter().chain([meta]).collect();
        let led = |at: &GroupPlacement| leaders.get(&at.group).and_then(Option::as_ref) == at.replicas.first();
        self.node.placements().iter().all(|at| at.settled && led(at))
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
        self.children.kill(node)?;
        if self.rejoin { self.children.replace(node) } else { Ok(()) }
    }

    fn whole(&mut self) -> LocalBoxFuture<'_, Result<(), FlightsError>> {
        self.children.whole().boxed_local()
    }
}
