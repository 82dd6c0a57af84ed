//! A member without vote or replicas.

use casty::GroupId;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, config, node, ready};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_that_came_before_the_founding_calls_entities_and_holds_none() {
    let mut cluster = Cluster::empty().await;
    let first = node(config(1, 3)).await;
    let seed = [first.address()];
    let observer = node(config(9, 3).observer().seeds(seed.clone())).await;
    let others = [node(config(2, 3).seeds(seed.clone())).await, node(config(3, 3).seeds(seed)).await];
    ready(&observer).await;
    let accounts = observer.sharded::<Account>("account").start().await.unwrap();
    assert_eq!(accounts.entity("alice").deposit(Deposit { amount: 5 }).await, Ok(5));
    assert_eq!(accounts.ask("alice", GetBalance).await, Ok(5));
    assert!(observer.groups().iter().all(|(group, _)| *group == GroupId::META) && !observer.is_leader());
    let leaders = observer.leaders();
    assert_eq!(leaders.len(), 12);
    assert!(leaders.iter().all(|(_, leader)| leader.as_ref().is_some_and(|leader| *leader != observer.id())));
    for node in others.into_iter().chain([first, observer]) {
        let number = cluster.add(node);
        timeout(DEADLINE, cluster.node(number).shutdown()).await.unwrap();
    }
}
