//! Machines that stop before what their nodes wrote is synced.

use std::time::Duration;

use casty::Sharded;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, Folders, ready};
use futures_util::future::{join_all, select_all};
use tokio::time::timeout;

/// How long a cluster that must not go on is watched.
const WATCHED: Duration = Duration::from_secs(2);

async fn accounts(cluster: &Cluster, number: usize) -> Sharded<Account> {
    cluster.node(number).sharded::<Account>("account").start().await.unwrap()
}

/// The machine of a node stops, and had not synced its file.
fn stopped_unsynced(folders: &Folders, number: usize) {
    std::fs::write(folders.path(number).join("unsynced"), "an earlier start of the machine").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_what_it_had_is_taken_in_anew_and_nothing_is_lost() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    let before = accounts(&cluster, 0).await;
    for user in 0..50 {
        assert_eq!(before.ask(format!("user-{user}"), Deposit { amount: user }).await, Ok(user));
    }
    let keys: Vec<_> = cluster.live().map(|(_, node)| node.me().key).collect();
    cluster.stop().await;
    stopped_unsynced(&folders, 1);
    cluster.start_again(&folders, 0..3).await;
    cluster.settled_on(&[0, 1, 2]).await;
    let again: Vec<_> = cluster.live().map(|(_, node)| node.me().key).collect();
    assert_eq!((again[0], again[2]), (keys[0], keys[2]), "the others go on");
    assert_ne!(again[1], keys[1], "it is another life of the node: it may have voted, and does not know");
    // What the others know is with the new one as well.
    cluster.crash(0);
    let after = accounts(&cluster, 1).await;
    for user in 0..50 {
        let account = after.entity(format!("user-{user}"));
        assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(user));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_majority_lost_what_it_had_nothing_is_served_and_nothing_founded() {
    for lost in [&[0, 1][..], &[0, 1, 2]] {
        let folders = Folders::new(3);
        let mut cluster = Cluster::start_in(&folders).await;
        assert_eq!(accounts(&cluster, 0).await.ask("user", Deposit { amount: 1 }).await, Ok(1));
        cluster.stop().await;
        lost.iter().for_each(|number| stopped_unsynced(&folders, *number));
        cluster.begin_again(&folders, 0..3).await;
        let readies = cluster.live().map(|(_, node)| Box::pin(ready(node)));
        assert!(timeout(WATCHED, select_all(readies)).await.is_err(), "a node is ready");
        let nodes: Vec<_> = (0..3).map(|number| cluster.take(number)).collect();
        join_all(nodes.iter().map(|node| node.shutdown())).await;
    }
}
