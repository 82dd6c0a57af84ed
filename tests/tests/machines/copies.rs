//! Copies that come late, lag, or are replaced.

use casty::raft::GroupStatus;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};

use crate::store::{names, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_later_gets_the_whole_state_from_a_snapshot() {
    let mut cluster = Cluster::start(3).await;
    let copies = names(&cluster, &[0, 1, 2]).await;
    for number in 0..2_000 {
        put(&copies[number % 3], number.to_string()).await.unwrap();
    }
    let compacted = |status: GroupStatus| status.purged.is_some();
    for copy in &copies {
        copy.compact().await.unwrap();
    }
    eventually(DEADLINE, "the log is compacted", || copies.iter().all(|copy| compacted(copy.status()))).await;
    let late = cluster.join(3, 3).await;
    let late = &names(&cluster, &[late]).await[0];
    assert_eq!(late.read(|names| names.0.len()).await, Ok(2_000));
    assert_eq!(put(late, "from the newcomer").await, Ok(2_001));
    eventually(DEADLINE, "it has a snapshot, since it never had the entries", || {
        late.status().snapshot_index.is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_copy_is_replaced_in_turn_and_nothing_is_lost() {
    let mut cluster = Cluster::start(3).await;
    let mut copies = names(&cluster, &[0, 1, 2]).await;
    let mut nodes = [0, 1, 2];
    for turn in 0..3 {
        assert_eq!(put(&copies[(turn + 1) % 3], format!("turn {turn}")).await, Ok(turn + 1));
        cluster.crash(nodes[turn]);
        nodes[turn] = cluster.join(turn, 3).await;
        copies[turn] = names(&cluster, &[nodes[turn]]).await.remove(0);
        cluster.settled_on(&nodes).await;
    }
    assert_eq!(copies[0].read(|names| names.0.len()).await, Ok(3));
}
