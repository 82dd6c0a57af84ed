//! Clusters whose entities are kept in a store that all nodes share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use casty::actor::{FromId, Persistent, Registered};
use casty::prelude::*;
use casty::storage::{EntityKey, EntityStore, MemoryEntityStore, PostgresStore, SqliteStore, StoredEntity};
use casty_tests::cluster::Cluster;
use casty_tests::postgres::Postgres;
use casty_tests::rows::{Rows, Way};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

pub(crate) type Store = Arc<dyn EntityStore>;

/// A store in memory.
pub(crate) async fn memory() -> Option<((), Store)> {
    Some(((), Arc::new(MemoryEntityStore::new())))
}

/// A store in a file.
pub(crate) async fn sqlite() -> Option<(TempDir, Store)> {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path().join("entities.sqlite")).await.unwrap();
    Some((folder, Arc::new(store)))
}

/// A store in a server of the test's own.
pub(crate) async fn postgres() -> Option<(Postgres, Store)> {
    let server = spawn_blocking(Postgres::start).await.unwrap()?;
    let store = PostgresStore::connect(&server.settings()).await.unwrap();
    Some((server, Arc::new(store)))
}

/// The name of the store.
pub(crate) const LEDGER: &str = "ledger";

/// A cluster, and the ways of its nodes to the store.
pub(crate) struct Kept {
    pub(crate) cluster: Cluster,
    pub(crate) ways: Vec<Rows>,
    pub(crate) store: Store,
}

impl Kept {
    /// Starts three nodes.
    pub(crate) async fn start(store: Store) -> Self {
        let (ways, next) = ([(); 3].map(|()| Rows::to(store.clone())).to_vec(), AtomicUsize::new(0));
        let way = || ways[next.fetch_add(1, Ordering::Relaxed)].clone();
        let cluster = Cluster::start_with(ways.len(), |config| config.entity_store(LEDGER, way())).await;
        Self { cluster, ways, store }
    }

    /// The entities of a type, as one node calls them.
    pub(crate) async fn entities<A: Registered + Persistent + FromId>(&self, name: &str, number: usize) -> Sharded<A> {
        self.cluster.node(number).sharded::<A>(name).stored_in(LEDGER).start().await.unwrap()
    }

    /// From now on the calls of all nodes go this way.
    pub(crate) fn go(&self, way: Way) {
        self.ways.iter().for_each(|rows| rows.go(way));
    }

    /// How many saves have set out, from all nodes.
    pub(crate) fn begun(&self) -> u64 {
        self.ways.iter().map(Rows::begun).sum()
    }

    /// How many saves were called for, from all nodes.
    pub(crate) fn tried(&self) -> u64 {
        self.ways.iter().map(Rows::tried).sum()
    }

    /// How often the row of an entity was saved.
    pub(crate) async fn revision(&self, entity_type: &str, id: &str) -> u64 {
        let key = EntityKey { entity_type: entity_type.into(), id: id.into() };
        self.store.load(&key).await.unwrap().map_or(0, |stored| stored.revision)
    }

    /// Saves the row of an entity again as it is, as another owner would.
    pub(crate) async fn touch(&self, entity_type: &str, id: &str) {
        let key = EntityKey { entity_type: entity_type.into(), id: id.into() };
        let StoredEntity { revision, row } = self.store.load(&key).await.unwrap().unwrap();
        self.store.save(&key, revision, row).await.unwrap();
    }
}

/// A list. Its replies say how long it is.
#[persistent]
pub(crate) struct List {
    entries: Vec<u64>,
}

#[actor(name = "stores.List")]
impl List {
    fn new(_id: EntityId) -> Self {
        Self { entries: Vec::new() }
    }

    #[message]
    fn append(&mut self, n: u64) -> u64 {
        self.entries.push(n);
        self.entries.len() as u64
    }

    #[message]
    fn entries(&self) -> Vec<u64> {
        self.entries.clone()
    }
}
