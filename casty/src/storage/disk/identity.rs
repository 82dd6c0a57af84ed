//! Whose file it is.

use std::path::Path;

use super::StoreError;
use crate::base::NodeId;

/// Whose store it is. It is written into a new one, and compared with that of an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The node.
    pub node: NodeId,
    /// The name of its cluster.
    pub cluster: String,
}

impl Identity {
    /// Whether a node that is `self` may open a file that `stored` wrote.
    pub(super) fn check(&self, stored: &Self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_owned();
        if self.cluster != stored.cluster {
            let (stored, given) = (stored.cluster.clone(), self.cluster.clone());
            return Err(StoreError::OtherCluster { file, stored, given });
        }
        if self.node != stored.node {
            return Err(StoreError::OtherNode { file, stored: stored.node.clone(), given: self.node.clone() });
        }
        Ok(())
    }
}
