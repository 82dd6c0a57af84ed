//! The links of the node, as the references to actors of other nodes use them.

use super::links::NodeLinks;
use crate::base::NodeKey;
use crate::cluster::{Lane, SendFailure};
use crate::remote::{Links, Room};
use crate::wire::Kind;

impl Links for NodeLinks {
    fn send(&self, to: NodeKey, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> Result<(), SendFailure> {
        let cluster = self.cluster().ok_or(SendFailure::NotConnected)?;
        cluster.send(to, Lane::Bulk, kind, |out| encode(out))
    }

    fn is_linked(&self, to: NodeKey) -> bool {
        self.cluster().is_some_and(|cluster| cluster.is_linked(to))
    }

    fn is_member(&self, node: NodeKey) -> bool {
        self.cluster().is_some_and(|cluster| cluster.is_member(node) || cluster.is_client(node))
    }

    fn members(&self) -> Vec<NodeKey> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        let me = cluster.me().key;
        cluster.members().into_iter().map(|member| member.key).filter(|key| *key != me).collect()
    }

    fn room(&self, to: NodeKey) -> Room {
        match self.cluster() {
            Some(cluster) => Box::pin(cluster.room(to)),
            None => Box::pin(std::future::ready(())),
        }
    }
}
