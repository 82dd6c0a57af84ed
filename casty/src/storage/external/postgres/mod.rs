//! Entities in a database of PostgreSQL.

mod connection;
mod table;
mod worker;

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

use self::connection::Connector;
use self::worker::Worker;
use super::jobs::Jobs;
use super::{EntityKey, EntityStore, EntityStoreError, StoredEntity};

/// An [`EntityStore`] in a database of PostgreSQL, in the table `casty_entities`. Behind the feature `postgres`.
///
/// It has one connection, which is made again, with backoff, when it breaks; what is saved together is one statement, and so one
/// transaction. Where the database is set not to wait for its disk (`synchronous_commit=off`), the store does. It works through a
/// pooler of connections, since it keeps nothing in a session. It is cheap to clone, and the clones share the connection.
///
/// The table is made if there is none. In a schema where that is not allowed, make it beforehand:
///
/// ```sql
/// CREATE TABLE casty_entities (
///     entity_type text NOT NULL,
///     id text NOT NULL,
///     revision bigint NOT NULL,
///     row bytea NOT NULL,
///     PRIMARY KEY (entity_type, id)
/// );
/// ```
///
/// ```no_run
/// use casty::storage::PostgresStore;
/// use casty::{ClusterConfig, Tls};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("host=db.example.org user=bank dbname=bank").await?;
/// let config = ClusterConfig::new("127.0.0.1:8001").tls(Tls::insecure()).entity_store("ledger", store);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    jobs: Jobs,
    database: String,
}

impl PostgresStore {
    /// Connects without TLS: to a database on this machine, or on a network that is trusted. The settings are those of
    /// [`tokio_postgres::Config`], as `key=value` or as a URL.
    pub async fn connect(settings: &str) -> Result<Self, EntityStoreError> {
        let settings = settings.parse().map_err(EntityStoreError::unavailable)?;
        Self::connect_with(settings, NoTls).await
    }

    /// Connects as the settings say, and with this TLS, of a crate such as `tokio-postgres-rustls`.
    pub async fn connect_with<T>(settings: Config, tls: T) -> Result<Self, EntityStoreError>
    where
        T: MakeTlsConnect<Socket, Stream: Send, TlsConnect: Send> + Clone + Send + Sync + 'static,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connector = Connector::new(settings, tls);
        let database = connector.to_string();
        let connection = connector.connect().await.map_err(EntityStoreError::Unavailable)?;
        let (jobs, queue) = Jobs::new();
        tokio::spawn(Worker::new(connector, connection, queue).run());
        Ok(Self { jobs, database })
    }
}

impl EntityStore for PostgresStore {
    fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
        self.jobs.load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a EntityKey,
        expected: u64,
        row: Bytes,
    ) -> BoxFuture<'a, Result<(), EntityStoreError>> {
        self.jobs.save(key, expected, row)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("database", &self.database).finish_non_exhaustive()
    }
}
