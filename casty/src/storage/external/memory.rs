//! Entities in a map.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{EntityKey, EntityStore, EntityStoreError, StoredEntity};
use crate::base::StableMap;

/// An [`EntityStore`] for tests: what is saved lives as long as the last clone, and the clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryEntityStore(Arc<Mutex<StableMap<EntityKey, StoredEntity>>>);

impl MemoryEntityStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl EntityStore for MemoryEntityStore {
    fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
        async move { Ok(self.0.lock().get(key).cloned()) }.boxed()
    }

    fn save<'a>(
        &'a self,
        key: &'a EntityKey,
        expected: u64,
        row: Bytes,
    ) -> BoxFuture<'a, Result<(), EntityStoreError>> {
        async move {
            let mut rows = self.0.lock();
            if rows.get(key).map_or(0, |stored| stored.revision) != expected {
                return Err(EntityStoreError::Conflict);
            }
            rows.insert(key.clone(), StoredEntity { revision: expected + 1, row });
            Ok(())
        }
        .boxed()
    }
}
