//! Stores outside of the cluster in which entities are kept, where a program says so.

mod error;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod jobs;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub use self::error::EntityStoreError;
pub use self::memory::MemoryEntityStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
use crate::base::EntityId;

/// A store outside of the cluster that keeps entities: a table with one row for each, replaced whole by compare and swap.
///
/// A node is given it under a name ([`ClusterConfig::entity_store`](crate::ClusterConfig::entity_store)), and an entity type is
/// kept there if it [says so](crate::StartSharded::stored_in). There are [`MemoryEntityStore`] for tests, and behind features
/// `SqliteStore` (`sqlite`) and `PostgresStore` (`postgres`).
///
/// What a store has to promise:
///
/// - A row that was saved is read by every [`load`](Self::load) that begins afterwards, from whichever node, and is durable.
/// - A row is saved only if the stored revision is the expected one, which is looked at and raised in one step. This alone keeps
///   out a node that does not know yet that another runs the entity.
/// - A call that may have taken effect, or may later, fails with [`Unknown`](EntityStoreError::Unknown) and with nothing
///   else. It may be repeated.
/// - No call blocks the thread that polls it. Several run at once, of one entity too. One that takes longer than 3 s is given up.
///
/// Rows are never removed. Who removes one by hand, or brings back an older one, stops the cluster before.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use bytes::Bytes;
/// use casty::storage::{EntityKey, EntityStore, EntityStoreError, StoredEntity};
/// use futures_util::future::{BoxFuture, FutureExt, ready};
///
/// #[derive(Debug, Default)]
/// struct InMemory(Mutex<HashMap<EntityKey, StoredEntity>>);
///
/// impl EntityStore for InMemory {
///     fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
///         ready(Ok(self.0.lock().unwrap().get(key).cloned())).boxed()
///     }
///
///     fn save<'a>(&'a self, key: &'a EntityKey, expected: u64, row: Bytes) -> BoxFuture<'a, Result<(), EntityStoreError>> {
///         let mut rows = self.0.lock().unwrap();
///         let stored = rows.get(key).map_or(0, |stored| stored.revision);
///         if stored != expected {
///             return ready(Err(EntityStoreError::Conflict)).boxed();
///         }
///         rows.insert(key.clone(), StoredEntity { revision: expected + 1, row });
///         ready(Ok(())).boxed()
///     }
/// }
/// ```
pub trait EntityStore: fmt::Debug + Send + Sync + 'static {
    /// The row of an entity; `None` if it was never saved.
    fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>>;

    /// Replaces the row of an entity whose stored revision is `expected`, 0 for one that was never saved. Its revision is
    /// `expected + 1` then. The future ends when the row is durable.
    fn save<'a>(&'a self, key: &'a EntityKey, expected: u64, row: Bytes)
    -> BoxFuture<'a, Result<(), EntityStoreError>>;
}

impl<S: EntityStore + ?Sized> EntityStore for Arc<S> {
    fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
        (**self).load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a EntityKey,
        expected: u64,
        row: Bytes,
    ) -> BoxFuture<'a, Result<(), EntityStoreError>> {
        (**self).save(key, expected, row)
    }
}

/// Which entity a row is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey {
    /// The name of the entity type.
    pub entity_type: Arc<str>,
    /// The entity.
    pub id: EntityId,
}

/// What a store holds of one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntity {
    /// How often the row was saved.
    pub revision: u64,
    /// The persistent fields, and the answers that may still be asked for again. Only casty reads them.
    pub row: Bytes,
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity_type, self.id)
    }
}
