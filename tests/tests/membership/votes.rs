//! Who votes in the meta group.

use casty::{GroupId, GroupPlacement};
use casty_tests::cluster::{Cluster, DEADLINE, REMOVE_AFTER, eventually};

/// Waits until so many vote, as every node sees it.
async fn votes(cluster: &Cluster, votes: usize) {
    let meta = |at: &GroupPlacement| at.group == GroupId::META;
    eventually(DEADLINE, "the meta group has its votes", || {
        cluster.live().all(|(_, node)| {
            node.placements().iter().find(|at| meta(at)).is_some_and(|at| at.settled && at.replicas.len() == votes)
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_meta_group_grows_and_shrinks_with_the_cluster() {
    let mut cluster = Cluster::start_with(2, |config| config.remove_after(REMOVE_AFTER)).await;
    votes(&cluster, 2).await;
    for (node, then) in [(2, 3), (3, 3), (4, 5), (5, 5)] {
        assert_eq!(cluster.join(node, 2).await, node);
        votes(&cluster, then).await;
    }
    cluster.replicated(3).await;
    let leader = cluster.leader_of(GroupId::META, 0).await;
    cluster.crash(leader);
    votes(&cluster, 5).await;
    let left = cluster.other_than(&[]);
    let node = cluster.take(left);
    node.leave().await.unwrap();
    drop(node);
    votes(&cluster, 3).await;
}
