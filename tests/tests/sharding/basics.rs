//! What an engineer sees first.

use casty::AskError;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_is_reached_from_every_node() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    for user in 0..30 {
        let id = format!("user-{user}");
        for (turn, accounts) in (1..).zip(&accounts) {
            assert_eq!(accounts.entity(id.as_str()).deposit(Deposit { amount: 10 }).await, Ok(10 * turn));
        }
        for accounts in &accounts {
            assert_eq!(accounts.entity(id.as_str()).balance(GetBalance).await, Ok(30));
        }
    }
    let alice = accounts[0].entity("user-1");
    let refused = alice.withdraw(Withdraw { amount: 999 }).await;
    assert_eq!(refused, Err(AskError::Handler(Overdrawn { balance: 30, amount: 999 })));
    assert_eq!(alice.withdraw(Withdraw { amount: 10 }).await, Ok(20));
    for (_, node) in cluster.live() {
        timeout(DEADLINE, node.shutdown()).await.unwrap();
    }
}
