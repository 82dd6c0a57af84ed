//! Nodes that come when the cluster exists.

use casty::Sharded;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, config, eventually, node, ready};
use casty_tests::load::Load;

pub(crate) async fn fill(accounts: &Sharded<Account>, users: u64) {
    for user in 0..users {
        assert_eq!(accounts.ask(format!("user-{user}"), Deposit { amount: user }).await, Ok(user));
    }
}

pub(crate) async fn all_there(accounts: &Sharded<Account>, users: u64) {
    for user in 0..users {
        let account = accounts.entity(format!("user-{user}"));
        assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(user));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_gets_its_share_and_no_request_fails() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[0], 24).await;
    let load = Load::start(&accounts[0], 8);
    let late = cluster.join(3, 3).await;
    cluster.settled_on(&[0, 1, 2, 3]).await;
    let led = |number: usize| {
        let (node, me) = (cluster.node(0), cluster.node(number).id());
        node.leaders().iter().filter(|(_, leader)| leader.as_ref() == Some(&me)).count()
    };
    // Twelve groups with three replicas each, on four nodes.
    eventually(DEADLINE, "every node holds nine groups and leads three", || {
        (0..4).all(|number| cluster.held(number) == 9 && led(number) == 3)
    })
    .await;
    let balances = load.finish().await;
    let accounts = cluster.node(late).sharded::<Account>("account").start().await.unwrap();
    for (id, balance) in balances {
        assert_eq!(accounts.ask(id, GetBalance).await, Ok(balance));
    }
    all_there(&accounts, 24).await;
    cluster.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_new_node_took_over_survives_the_loss_of_those_that_had_it() {
    let mut cluster = Cluster::start_with(3, |config| config.remove_after(casty_tests::cluster::REMOVE_AFTER)).await;
    let accounts = cluster.sharded::<Account>("account").await;
    fill(&accounts[0], 24).await;
    for fresh in [3, 4, 5] {
        assert_eq!(cluster.join(fresh, 3).await, fresh);
    }
    cluster.settled_on(&[0, 1, 2, 3, 4, 5]).await;
    let accounts = cluster.node(5).sharded::<Account>("account").start().await.unwrap();
    for (founder, rest) in [(0, &[1, 2, 3, 4, 5][..]), (1, &[2, 3, 4, 5]), (2, &[3, 4, 5])] {
        cluster.crash(founder);
        cluster.settled_on(rest).await;
    }
    all_there(&accounts, 24).await;
    assert_eq!(accounts.ask("user-1", Deposit { amount: 1 }).await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observer_follows_the_cluster_and_holds_nothing() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    assert_eq!(accounts[0].ask("alice", Deposit { amount: 5 }).await, Ok(5));
    let observer = cluster.add(node(config(9, 3).observer().seeds([cluster.node(1).address()])).await);
    ready(cluster.node(observer)).await;
    let accounts = cluster.node(observer).sharded::<Account>("account").start().await.unwrap();
    assert_eq!(accounts.ask("alice", Deposit { amount: 5 }).await, Ok(10));
    cluster.settled_on_of(&[0, 1, 2], &[0, 1, 2, observer]).await;
    assert_eq!(cluster.held(observer), 0);
    assert_eq!(cluster.node(observer).placements().len(), 13);
}
