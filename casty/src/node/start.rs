//! Puts a node together.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::spawn_blocking;

use super::agreement::Proposals;
use super::founding::{Founding, Terms};
use super::inbound::Dispatch;
use super::inner::Inner;
use super::life::Life;
use super::links::NodeLinks;
use super::machines::Machines;
use super::names::NodeNaming;
use super::stewardship::Stewardship;
use super::{ClusterConfig, Node, StartError};
use crate::actor::ActorSystem;
use crate::cluster::{Cluster, Role, Settings};
use crate::raft::{Host, RaftSettings};
use crate::remote::Hub;
use crate::sharding::{EntityTypes, Kinds, LiveEntities, Regions, Router, RouterSettings};
use crate::storage::{DiskSettings, DiskStores, Identity, Stores};

impl ActorSystem {
    /// Starts a node, and returns once it listens. [`Node::ready`] waits for the cluster.
    pub async fn cluster(config: ClusterConfig) -> Result<Node, StartError> {
        config.check()?;
        let stores = open_stores(&config).await?;
        let life = Life::begin(stores.clone(), config.incarnation.unwrap_or_else(incarnation)).await;
        let life = life.map_err(StartError::Record)?;
        let first_number = life.first_number();
        let system = ActorSystem::builder(config.name.clone()).ask_timeout(config.ask_timeout);
        let system = system.first_number(first_number).build();
        let registry = system.registry()?.clone();
        let seed = config.seed.unwrap_or_else(|| rand::RngExt::random(&mut StdRng::from_rng(&mut rand::rng())));
        let role = if config.observer { Role::Observer } else { Role::Replica };
        let settings = Settings {
            advertise: config.advertise.clone(),
            seeds: config.seeds.clone(),
            discovery: config.discovery.clone(),
            node_id: config.node_id.clone(),
            role,
            labels: config.labels.clone(),
            tls: config.tls.clone(),
            secret: config.secret.clone(),
            compression: config.compression,
            nonces_from_seed: config.nonces_from_seed,
            incarnation: life.incarnation(),
            first_number,
            seed,
            ..Settings::new(config.name.clone(), config.bind.clone())
        };
        let (dispatch, links) = (Arc::new(Dispatch::default()), NodeLinks::new());
        let cluster = Cluster::start(settings, config.net.clone(), dispatch.clone()).await?;
        links.connect(&cluster);
        let kinds = Kinds::new(registry, config.effective_replication().acknowledge);
        let kinds = kinds.with_stores(config.entity_stores.iter().cloned());
        let inner = assemble(&config, &cluster, links, system, kinds, seed, (stores, life));
        dispatch.connect(&inner);
        inner.system.env().name_by(Box::new(NodeNaming(Arc::downgrade(&inner))));
        if inner.life.is_bereft() {
            tracing::warn!(
                node = %inner.id,
                "the machine stopped before what this node had stored was synced: it waits for a cluster that takes it \
                 in, and founds none. If a majority of the nodes has lost what it had, `casty recover` makes the \
                 cluster anew from what is left"
            );
        }
        if let Some(membership) = inner.life.membership() {
            tracing::info!(node = %inner.id, restarts = inner.life.restarts(), "goes on with what it has stored");
            inner.founding.lock().settle(membership.charter.clone());
            inner.follow(membership);
        }
        inner.spawn(inner.router.clone().run());
        inner.spawn(inner.clone().run());
        inner.spawn(inner.clone().tend());
        inner.spawn(inner.clone().end_with_the_store());
        inner.spawn(inner.clone().declare_newer());
        inner.spawn(inner.clone().expire_machine_senders());
        Ok(Node::new(inner, cluster))
    }
}

fn assemble(
    config: &ClusterConfig,
    cluster: &Arc<Cluster>,
    links: Arc<NodeLinks>,
    system: ActorSystem,
    kinds: Kinds,
    seed: u64,
    (stores, life): (Arc<dyn Stores>, Life),
) -> Arc<Inner> {
    let (me, first_number) = (cluster.me().key, life.first_number());
    let router_settings = RouterSettings {
        window: config.window,
        ask_timeout: config.ask_timeout,
        first_number,
        ..RouterSettings::default()
    };
    let regions = Arc::<Regions>::default();
    let router = Router::new(me, links.clone(), regions.clone(), router_settings, system.env().clone());
    let hub = Hub::new(me, links.clone(), &system);
    hub.find_entities(Arc::new(EntityTypes::new(router.clone(), kinds.clone())));
    let host = Host::new(me, links.clone(), RaftSettings { seed, ..config.raft.clone() });
    let replication = config.effective_replication();
    let terms = Terms { size: config.expected_size, groups: config.groups, replicas: replication.replicas as u8 };
    let founding = Founding::new(me, terms, !config.observer && !life.is_bereft());
    Arc::new(Inner {
        me,
        id: cluster.me().id.clone(),
        system,
        links,
        host,
        router,
        hub,
        desk: Default::default(),
        kinds,
        origins: Arc::default(),
        live: Arc::new(LiveEntities::new(config.live_entities_max)),
        stores,
        life,
        holding: Default::default(),
        freed: Default::default(),
        founding: founding.into(),
        regions,
        proposals: Proposals::counting_from(first_number),
        agreed: Arc::default(),
        names: Arc::default(),
        leaving: Default::default(),
        told_over: Default::default(),
        stewardship: Stewardship::default(),
        machines: Machines::counting_from(first_number),
        events: super::events::topic(),
        remove_after: config.away_max(),
        meta: Default::default(),
        tasks: Default::default(),
        ended: Default::default(),
    })
}

/// Where the node keeps what it keeps.
async fn open_stores(config: &ClusterConfig) -> Result<Arc<dyn Stores>, StartError> {
    let (Some(folder), Some(node)) = (config.data_dir.clone(), config.node_id.clone()) else {
        return Ok(config.stores.clone());
    };
    let identity = Identity { node, cluster: config.name.clone() };
    let settings = DiskSettings { fsync: config.effective_replication().fsync, ..DiskSettings::default() };
    let opened = spawn_blocking(move || DiskStores::open_with(folder, &identity, &settings)).await;
    let stores = opened.map_err(|ended| StartError::Record(ended.into()))??;
    Ok(Arc::new(stores))
}

/// The number of this life of the node: higher than that of any life before, by the clock of the machine.
pub(crate) fn incarnation() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}
