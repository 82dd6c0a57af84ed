//! Names that are unique in a whole cluster.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Address;
use crate::actor::SpawnError;

/// The node's part in giving names.
pub trait Naming: Send + Sync + 'static {
    /// Has the cluster agree that `name` is the actor's at this address. If nobody waits for the answer any more, the name is
    /// given back.
    fn claim(&self, name: Arc<str>, address: Address) -> BoxFuture<'static, Result<(), SpawnError>>;

    /// The actor of this number has stopped: its name is free, unless it never had it.
    fn release(&self, name: &Arc<str>, number: u64);
}
