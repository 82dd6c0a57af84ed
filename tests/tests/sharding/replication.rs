//! What a program says about how safely state is kept.

use std::time::Duration;

use casty::{Acknowledge, GroupId, Replication};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};

/// What need not be waited for is answered within this; what has to wait is not answered at all.
const AT_ONCE: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_on_as_many_nodes_as_was_said() {
    for replicas in [1, 3, 5] {
        let replication = Replication::balanced().replicas(replicas);
        let cluster = Cluster::start_with(5, |config| config.replication(replication.clone())).await;
        let data = cluster.node(0).placements().into_iter().filter(|at| at.group != GroupId::META);
        assert!(data.clone().count() > 0 && data.into_iter().all(|at| at.replicas.len() == replicas));
    }
}

/// Deposits 1 to an account whose group node 0 leads, cut off from all others. Whether it was answered.
async fn answered_alone(cluster: &Cluster, accounts: &casty::Sharded<Account>) -> bool {
    let id = cluster.ids_led_by(0, accounts, "account").next().expect("node 0 leads some group");
    let account = accounts.entity(id);
    // It lives, so that nothing but the write has to be waited for.
    account.balance(GetBalance).timeout(DEADLINE).await.expect("the account answers");
    cluster.isolate(0);
    let answer = account.deposit(Deposit { amount: 1 }).timeout(AT_ONCE).await;
    cluster.network.heal();
    eventually(DEADLINE, "every group is led again", || {
        (0..3).all(|number| cluster.node(number).leaders().iter().all(|(_, leader)| leader.is_some()))
    })
    .await;
    answer.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_the_quorum_or_does_not_as_its_entity_type_says() {
    let by_default = [Replication::balanced(), Replication::high_performance()];
    for (replication, acknowledge) in by_default.into_iter().zip([Acknowledge::Quorum, Acknowledge::Leader]) {
        let other = match acknowledge {
            Acknowledge::Leader => Acknowledge::Quorum,
            Acknowledge::Quorum => Acknowledge::Leader,
        };
        let cluster = Cluster::start_with(3, |config| config.replication(replication.clone())).await;
        let as_all = cluster.node(0).sharded::<Account>("as-all").start().await.unwrap();
        let of_its_own = cluster.node(0).sharded::<Account>("of-its-own").acknowledge(other).start().await.unwrap();
        for (accounts, acknowledge) in [(&as_all, acknowledge), (&of_its_own, other)] {
            let mut answered = false;
            for _ in 0..5 {
                // A machine that is busy may take so long that the node has noticed that it is alone.
                answered |= answered_alone(&cluster, accounts).await;
            }
            assert_eq!(answered, acknowledge == Acknowledge::Leader, "{accounts:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_early_is_kept_once_while_its_leader_lives() {
    let cluster = Cluster::start_with(3, |config| config.replication(Replication::high_performance())).await;
    let accounts = cluster.sharded::<Account>("account").await;
    for round in 1..=50 {
        for user in 0..8 {
            let account = accounts[user % 3].entity(format!("user-{user}"));
            assert_eq!(account.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await, Ok(round));
            assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(round), "a reader sees it");
        }
    }
    cluster.quiet().await;
    for user in 0..8 {
        let account = accounts[0].entity(format!("user-{user}"));
        assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(50));
    }
}
