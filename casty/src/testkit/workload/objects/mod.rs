//! The entities that the workload calls. Every request has a number, which its reply repeats.

mod account;
mod counter;
mod list;
mod register;

use std::sync::Arc;

pub(super) use account::{Account, Balance, Deposit, Overdrawn, Withdraw};
pub use account::{AccountInput, AccountModel, AccountOutput};
pub(super) use counter::{Add, Counter, Total};
pub(super) use list::{Append, List, Tokens};
pub(super) use register::{CompareAndSet, Read, Register, Write};

use crate::client::{Client, FindError};
use crate::node::Node;
use crate::sharding::{Sharded, ShardingError};

/// The entity types of the workload, started on one node.
#[derive(Clone, Debug)]
pub struct Objects {
    pub(super) registers: Sharded<Register>,
    pub(super) counters: Sharded<Counter>,
    pub(super) lists: Sharded<List>,
    pub(super) accounts: Sharded<Account>,
}

impl Objects {
    /// How the ids of the objects of each kind begin.
    pub(super) const KINDS: [&str; 4] = ["register", "counter", "list", "account"];

    /// Finds the entity types, which a node has started.
    pub async fn find(client: &Client) -> Result<Arc<Self>, FindError> {
        Ok(Arc::new(Self {
            registers: client.sharded("registers").await?,
            counters: client.sharded("counters").await?,
            lists: client.sharded("lists").await?,
            accounts: client.sharded("accounts").await?,
        }))
    }

    /// Starts the entity types.
    pub async fn start(node: &Node) -> Result<Arc<Self>, ShardingError> {
        Ok(Arc::new(Self {
            registers: node.sharded("registers").shards(8).start().await?,
            counters: node.sharded("counters").shards(8).start().await?,
            lists: node.sharded("lists").shards(8).start().await?,
            accounts: node.sharded("accounts").shards(8).start().await?,
        }))
    }
}
