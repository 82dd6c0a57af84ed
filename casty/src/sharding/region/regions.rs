//! The regions of a node.

use std::sync::Arc;

use parking_lot::RwLock;

use super::Region;
use crate::base::{GroupId, StableMap};

/// The regions of a node: one for each group whose replica it holds.
#[derive(Default)]
pub(crate) struct Regions(RwLock<StableMap<GroupId, Arc<Region>>>);

impl Regions {
    /// The region of a group, if the node holds a replica.
    pub(crate) fn get(&self, group: GroupId) -> Option<Arc<Region>> {
        self.0.read().get(&group).cloned()
    }

    /// All regions.
    pub(crate) fn all(&self) -> Vec<Arc<Region>> {
        self.0.read().values().cloned().collect()
    }

    /// The node holds a replica of one more group.
    pub(crate) fn insert(&self, region: Arc<Region>) {
        self.0.write().insert(region.group(), region);
    }

    /// The node holds no replica of this group any more.
    pub(crate) fn remove(&self, group: GroupId) {
        self.0.write().remove(&group);
    }
}
