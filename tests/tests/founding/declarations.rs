//! Entity types, on which the whole cluster agrees.

use casty::ShardingError;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE};
use casty_tests::journal::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_number_of_shards_is_a_conflict_that_names_both_on_every_node() {
    let mut cluster = Cluster::start(3).await;
    let first = cluster.node(0).sharded::<Account>("account").shards(64).start().await.unwrap();
    assert_eq!(first.ask("alice", Deposit { amount: 1 }).await, Ok(1));
    for (_, node) in cluster.live() {
        let again = node.sharded::<Account>("account").shards(64).start().await.unwrap();
        assert_eq!(again.ask("alice", GetBalance).await, Ok(1));
        let conflict = node.sharded::<Account>("account").shards(32).start().await.err().unwrap();
        assert!(matches!(conflict, ShardingError::Conflict { .. }), "{conflict}");
        let text = conflict.to_string();
        assert!(text.contains("64 shards") && text.contains("32 shards"), "{text}");
        let other = node.sharded::<Journal>("account").shards(64).start().await.err().unwrap();
        let text = other.to_string();
        assert!(text.contains("bank.Account") && text.contains("tests.Journal"), "{text}");
    }
    // The agreement outlives its leader.
    let leader = cluster.leader_of(casty::GroupId::META, 0).await;
    let other = cluster.other_than(&[leader]);
    cluster.crash(leader);
    let conflict = cluster.node(other).sharded::<Account>("account").shards(32).start();
    let conflict = tokio::time::timeout(DEADLINE, conflict).await.unwrap();
    assert!(matches!(conflict, Err(ShardingError::Conflict { .. })));
}
