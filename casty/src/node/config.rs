//! What a node is told before it starts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Replication;
use crate::base::NodeId;
use crate::cluster::{Compression, Discovery, Labels, Net, Secret, TcpNet, Tls, check_trust};
use crate::raft::RaftSettings;
use crate::sharding::{GROUPS_PER_NODE, OutsideStore};
use crate::storage::{EntityStore, MemoryStores, Stores};

/// The settings of a node.
///
/// ```
/// use casty::{ClusterConfig, Tls};
///
/// let config = ClusterConfig::new("127.0.0.1:8001")
///     .tls(Tls::from_pem("ca.pem", "node-1.pem", "node-1.key"))
///     .seeds(["127.0.0.1:8002", "127.0.0.1:8003"])
///     .expected_size(3)
///     .node_id("node-1");
/// ```
#[derive(Clone)]
pub struct ClusterConfig {
    pub(super) bind: String,
    pub(super) advertise: Option<String>,
    pub(super) name: String,
    pub(super) node_id: Option<NodeId>,
    pub(super) seeds: Vec<String>,
    pub(super) discovery: Option<Arc<dyn Discovery>>,
    pub(super) expected_size: usize,
    replication: Option<Replication>,
    pub(super) observer: bool,
    pub(super) labels: Labels,
    remove_after: Option<Duration>,
    pub(super) ask_timeout: Duration,
    pub(super) window: usize,
    pub(super) live_entities_max: usize,
    pub(super) tls: Option<Tls>,
    pub(super) secret: Option<Secret>,
    pub(super) compression: Compression,
    pub(super) seed: Option<u64>,
    pub(super) nonces_from_seed: bool,
    pub(super) incarnation: Option<u64>,
    pub(super) net: Arc<dyn Net>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) stores: Arc<dyn Stores>,
    pub(super) entity_stores: Vec<OutsideStore>,
    pub(super) groups: usize,
    pub(super) raft: RaftSettings,
}

/// The most nodes that a cluster can be founded with.
pub(super) const EXPECTED_SIZE_MAX: usize = 64;

/// How long a node may be away before it is given up, whose state is gone when it comes back.
const REMOVE_AFTER: Duration = Duration::from_secs(20);

/// The same, when it has kept its state.
const REMOVE_DURABLE_AFTER: Duration = Duration::from_secs(600);

impl ClusterConfig {
    /// A node that listens on `bind`, `"127.0.0.1:8001"`. Port 0 picks a free one.
    pub fn new(bind: impl Into<String>) -> Self {
        Self {
            bind: bind.into(),
            advertise: None,
            name: "casty".to_owned(),
            node_id: None,
            seeds: Vec::new(),
            discovery: None,
            expected_size: 1,
            replication: None,
            observer: false,
            labels: Labels::default(),
            remove_after: None,
            ask_timeout: Duration::from_secs(5),
            window: 2048,
            live_entities_max: 250_000,
            tls: None,
            secret: None,
            compression: Compression::off(),
            seed: None,
            nonces_from_seed: false,
            incarnation: None,
            net: Arc::new(TcpNet),
            data_dir: None,
            stores: Arc::new(MemoryStores),
            entity_stores: Vec::new(),
            groups: GROUPS_PER_NODE,
            raft: RaftSettings::default(),
        }
    }

    /// The same settings for a node that listens elsewhere.
    #[cfg(feature = "sim")]
    pub(crate) fn listen(mut self, bind: impl Into<String>) -> Self {
        self.bind = bind.into();
        self
    }

    /// What other nodes dial, where it differs from what this node binds: `"casty-1.example.org:8001"`.
    pub fn advertise(mut self, address: impl Into<String>) -> Self {
        self.advertise = Some(address.into());
        self
    }

    /// The name of the cluster. Nodes of another name are refused. Default: `casty`.
    pub fn cluster_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Addresses through which the cluster is found. They are tried for ever; one's own may be among them.
    pub fn seeds<S: Into<String>>(mut self, addresses: impl IntoIterator<Item = S>) -> Self {
        self.seeds = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// Where the cluster is found, beside the [`seeds`](Self::seeds): [`DnsDiscovery`](crate::cluster::DnsDiscovery) for the
    /// addresses of a DNS name, or a [`Discovery`] of one's own. It is asked for ever.
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// How links are encrypted, and how peers show that they belong to the cluster: with certificates, or, by name only, not
    /// at all. A node needs this, or a [`secret`](Self::secret), or both.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// What all nodes of the cluster know and nobody else: 16 bytes or more, drawn at random. Each side of a link proves to
    /// the other that it knows it, and it is never sent. Without [`tls`](Self::tls) that is all: what links carry
    /// afterwards can be read and changed on the way.
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(Secret::new(secret));
        self
    }

    /// Whether messages to entities on other nodes, and their replies, are compressed, from which size on. Each node decides it for
    /// what it sends. Default: off.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// How many nodes found the cluster together: the same number on each of them. Observers do not count. Default: 1.
    pub fn expected_size(mut self, nodes: usize) -> Self {
        self.expected_size = nodes;
        self
    }

    /// The name of this node, unique in the cluster. Default: the address that it advertises.
    pub fn node_id(mut self, id: impl Into<NodeId>) -> Self {
        self.node_id = Some(id.into());
        self
    }

    /// How safely the state of entities is kept. Default: [`Replication::balanced`], and with a
    /// [`data_dir`](Self::data_dir) [`Replication::high_durability`].
    pub fn replication(mut self, replication: Replication) -> Self {
        self.replication = Some(replication);
        self
    }

    /// Makes the node a member without vote or replicas: it calls entities and holds none.
    pub fn observer(mut self) -> Self {
        self.observer = true;
        self
    }

    /// Gives the node a role, `"frontend"`; several, if it is called several times. It is a word of the program's own: every node
    /// reads it ([`Member::has_role`](crate::cluster::Member::has_role)), and casty makes nothing of it. An
    /// [`observer`](Self::observer) may have roles as well.
    ///
    /// Roles and [`metadata`](Self::metadata) are fixed for the life of the node. They may be 64 roles and keys, with 1 KiB in
    /// all. Gossip carries them wherever it names the node, so short ones are cheaper.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.labels.roles.insert(role.into());
        self
    }

    /// What the node says of itself under this key: `.metadata("zone", "eu-1")`. Every node reads it
    /// ([`Member::metadata`](crate::cluster::Member::metadata)). Of two values for one key, the later counts.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.metadata.insert(key.into(), value.into());
        self
    }

    /// A node that has been away for so long is given up: others take replicas of what it held, and it has to start anew. The
    /// leader of the meta group decides, so it matters there. Default: 20 s; with a [`data_dir`](Self::data_dir) 10 minutes,
    /// since a node that comes back has everything but what was written meanwhile.
    pub fn remove_after(mut self, away: Duration) -> Self {
        self.remove_after = Some(away);
        self
    }

    /// The deadline of an ask that names none. Default: 5 s.
    pub fn ask_timeout(mut self, timeout: Duration) -> Self {
        self.ask_timeout = timeout;
        self
    }

    /// How many requests to one group may be under way from this node; further ones wait. One entity holds at most an
    /// eighth of them. Default: 2,048.
    pub fn window(mut self, requests: usize) -> Self {
        self.window = requests;
        self
    }

    /// How many entities this node has in memory at once, as long as not more than these have something to do. Beyond it those
    /// leave that were called longest ago, however long an entity [may stay](crate::StartSharded::passivate_after); the next
    /// request makes one anew from its state. Default: 250,000, which take some 900 MB beside their state.
    pub fn live_entities_max(mut self, entities: usize) -> Self {
        self.live_entities_max = entities;
        self
    }

    /// The number of this life of the node. It must be higher than those of all its lives before. Default: the
    /// microseconds of the machine's clock.
    pub fn incarnation(mut self, number: u64) -> Self {
        self.incarnation = Some(number);
        self
    }

    /// Where the node's randomness (jitter, gossip) begins; drawn from the system where it is not given. What must not be
    /// foreseen, the challenges of the handshake, comes from the system in any case.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Challenges are drawn from `rng_seed` too, so that a run can be replayed: whoever knows the seed can foresee them.
    #[cfg(feature = "sim")]
    pub(crate) fn replayable(mut self) -> Self {
        self.nonces_from_seed = true;
        self
    }

    /// The network of the node: TCP, unless a test hands in another.
    pub fn net(mut self, net: Arc<dyn Net>) -> Self {
        self.net = net;
        self
    }

    /// The folder in which the node keeps its part of the state, and who it is: a file that no other process may use at the
    /// same time. A node that is started again with it goes on where it was, so that a cluster lives through a stop of all
    /// its nodes. What was answered has been written and synced by a majority, unless [`replication`](Self::replication) asks for less.
    ///
    /// Without it everything is in memory, and a node that is started again is a new one. Needs a
    /// [`node_id`](Self::node_id), which the folder keeps: an address may change.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Where the node keeps its logs and its state without a `data_dir`: in memory, unless a test hands in other stores.
    pub fn stores(mut self, stores: Arc<dyn Stores>) -> Self {
        self.stores = stores;
        self
    }

    /// Gives the node a store outside of the cluster, under the name by which entity types
    /// [name it](crate::StartSharded::stored_in). Each node that is to run such entities is given it, and all nodes mean the same
    /// by the name. Several, if it is called several times.
    ///
    /// ```
    /// # use casty::{ClusterConfig, Tls};
    /// # use casty::prelude::*;
    /// # use casty::storage::MemoryEntityStore;
    /// # #[persistent] pub struct Account { balance: u64 }
    /// # #[actor] impl Account {
    /// #     fn new(_id: EntityId) -> Self { Self { balance: 0 } }
    /// #     #[message] fn deposit(&mut self, amount: u64) -> u64 { self.balance += amount; self.balance }
    /// # }
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure()).entity_store("ledger", MemoryEntityStore::new());
    /// let node = ActorSystem::cluster(config).await?;
    /// let accounts = node.sharded::<Account>("account").stored_in("ledger").start().await?;
    /// assert_eq!(accounts.entity("user-1").deposit(100).await?, 100);
    /// # Ok(()) }
    /// ```
    pub fn entity_store(mut self, name: impl Into<Arc<str>>, store: impl EntityStore) -> Self {
        self.entity_stores.push(OutsideStore { name: name.into(), store: Arc::new(store) });
        self
    }

    /// How groups run, and how many there are for each founder. The same on every founder.
    #[cfg(feature = "sim")]
    pub(crate) fn consensus(mut self, settings: RaftSettings, groups_per_founder: usize) -> Self {
        (self.raft, self.groups) = (settings, groups_per_founder);
        self
    }

    /// What was said, or else holds.
    pub(super) fn effective_replication(&self) -> Replication {
        self.replication.clone().unwrap_or_else(|| match self.data_dir {
            Some(_) => Replication::high_durability(),
            None => Replication::balanced(),
        })
    }

    pub(super) fn away_max(&self) -> Duration {
        self.remove_after.unwrap_or(match self.data_dir {
            Some(_) => REMOVE_DURABLE_AFTER,
            None => REMOVE_AFTER,
        })
    }

    /// Finds settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |setting, why: String| Err(ConfigError { setting, why });
        if self.expected_size == 0 || self.expected_size > EXPECTED_SIZE_MAX {
            let size = self.expected_size;
            return bad("expected_size", format!("{size} nodes cannot found a cluster: 1 to {EXPECTED_SIZE_MAX} can"));
        }
        let finds_others = !self.seeds.is_empty() || self.discovery.is_some();
        if self.expected_size == 1 && finds_others && !self.observer {
            return bad(
                "expected_size",
                "a node that founds a cluster alone has no seeds: set expected_size to the number of founding nodes"
                    .to_owned(),
            );
        }
        if self.observer && !finds_others && self.bind.is_empty() {
            return bad("seeds", "an observer needs a seed, or an address at which others find it".to_owned());
        }
        self.effective_replication().check(self.data_dir.is_some())?;
        if self.data_dir.is_some() && self.node_id.is_none() {
            let why = "the folder belongs to one node: give it a name with `.node_id(\"node-1\")`";
            return bad("data_dir", why.to_owned());
        }
        let mut names: Vec<_> = self.entity_stores.iter().map(|store| &store.name).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|two| two[0] == two[1]) {
            return bad("entity_store", format!("there are two stores `{}`: give each a name of its own", twice[0]));
        }
        if let Err(error) = self.labels.check() {
            return bad("role and metadata", error.to_string());
        }
        if self.window < WINDOW_MIN {
            return bad("window", format!("{} is too small: {WINDOW_MIN} or more", self.window));
        }
        if let Err(error) = check_trust(self.tls.as_ref(), self.secret.as_ref()) {
            return bad(if self.secret.is_some() { "secret" } else { "tls" }, error.to_string());
        }
        Ok(())
    }
}

impl fmt::Debug for ClusterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterConfig")
            .field("bind", &self.bind)
            .field("cluster_name", &self.name)
            .field("node_id", &self.node_id)
            .field("seeds", &self.seeds)
            .field("discovery", &self.discovery)
            .field("expected_size", &self.expected_size)
            .field("replication", &self.effective_replication())
            .field("observer", &self.observer)
            .field("data_dir", &self.data_dir)
            .field("tls", &self.tls)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// Below this, an entity's eighth of the window would be nothing.
pub(crate) const WINDOW_MIN: usize = 8;

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}`: {why}")]
#[non_exhaustive]
pub struct ConfigError {
    /// The setting.
    pub setting: &'static str,
    /// What is wrong, and what would be right.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Fsync, MemoryEntityStore};

    fn fault(config: ClusterConfig) -> &'static str {
        config.check().unwrap_err().setting
    }

    #[test]
    fn a_setting_that_cannot_be_is_named() {
        let config = || ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure());
        assert_eq!(config().check(), Ok(()));
        assert_eq!(fault(config().expected_size(0)), "expected_size");
        assert_eq!(fault(config().seeds(["127.0.0.1:1"])), "expected_size");
        assert_eq!(fault(config().replication(Replication::balanced().replicas(2))), "replication");
        assert_eq!(fault(config().replication(Replication::balanced().replicas(7))), "replication");
        assert_eq!(fault(config().replication(Replication::high_durability())), "replication");
        let never = Replication::balanced().fsync(Fsync::Interval(Duration::ZERO));
        assert_eq!(fault(config().replication(never)), "replication");
        assert_eq!(fault(config().window(0)), "window");
        assert_eq!(config().observer().seeds(["127.0.0.1:1"]).check(), Ok(()));
        assert_eq!(config().role("frontend").metadata("zone", "eu-1").check(), Ok(()));
        assert_eq!(fault(config().role("")), "role and metadata");
        assert_eq!(fault(config().metadata("zone", "z".repeat(1_021))), "role and metadata");
        assert_eq!(fault(config().data_dir("data")), "data_dir");
        assert_eq!(config().data_dir("data").node_id("a").check(), Ok(()));
        assert_eq!(fault(config().secret("short")), "secret");
        let store = MemoryEntityStore::new;
        assert_eq!(fault(config().entity_store("a", store()).entity_store("a", store())), "entity_store");
        assert_eq!(config().entity_store("a", store()).entity_store("b", store()).check(), Ok(()));
        assert_eq!(config().secret("long enough not to be guessed").check(), Ok(()));
    }

    #[test]
    fn whom_to_trust_has_to_be_said_and_the_three_ways_are_named() {
        let error = ClusterConfig::new("127.0.0.1:0").check().unwrap_err();
        assert_eq!(error.setting, "tls");
        for way in [".tls(Tls::from_pem(", ".secret(", ".tls(Tls::insecure())"] {
            assert!(error.to_string().contains(way), "{error}");
        }
        let secretive = ClusterConfig::new("127.0.0.1:0").secret("nobody may read this");
        assert_eq!(secretive.check(), Ok(()));
        assert!(!format!("{secretive:?}").contains("nobody"));
    }
}
