//! Commands: from any node, once, in order.

use std::collections::BTreeMap;
use std::time::Duration;

use casty::{ApplyError, ReplicateError};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;

use crate::store::{Names, Put, names, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_from_any_node_is_applied_on_every_copy_and_seen_by_every_later_read() {
    let cluster = Cluster::start(3).await;
    let copies = names(&cluster, &[0, 1, 2]).await;
    for round in 0..10 {
        for (node, copy) in copies.iter().enumerate() {
            let length = 3 * round + node + 1;
            assert_eq!(put(copy, format!("{round}-{node}")).await, Ok(length));
            let reader = &copies[(node + 1) % 3];
            assert_eq!(reader.read(|names| names.0.len()).await, Ok(length), "a read on another node");
        }
    }
    let whole = copies[0].read(|names| names.0.clone()).await.unwrap();
    eventually(DEADLINE, "every copy has all of it", || {
        copies.iter().all(|copy| copy.read_stale(|names| names.0 == whole))
    })
    .await;
    assert_eq!(copies.iter().filter(|copy| copy.is_leader()).count(), 1);
    assert!(copies.iter().all(|copy| copy.leader_id() == copies[0].leader_id() && copy.leader_id().is_some()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_applied_once_though_its_leader_dies_with_it() {
    let mut cluster = Cluster::start(3).await;
    let copies = names(&cluster, &[0, 1, 2]).await;
    put(&copies[0], "first").await.unwrap();
    let leader = (0..3).find(|node| copies[*node].is_leader()).unwrap();
    let survivor = cluster.other_than(&[leader]);
    let writers = (0..8).map(|writer| {
        let copy = copies[survivor].clone();
        tokio::spawn(async move {
            for number in 0..200 {
                put(&copy, format!("{writer}-{number}")).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    eventually(DEADLINE, "they write", || copies[survivor].read_stale(|names| names.0.len() > 200)).await;
    cluster.crash(leader);
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let all = copies[survivor].read(|names| names.0.clone()).await.unwrap();
    assert_eq!(all.len(), 1 + 8 * 200);
    let mut next = BTreeMap::<&str, u64>::new();
    for (writer, number) in all.iter().filter_map(|name| name.split_once('-')) {
        let expected = next.entry(writer).or_default();
        assert_eq!(number.parse(), Ok(*expected), "writer {writer} keeps its order");
        *expected += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_panics_is_told_so_and_the_machine_goes_on() {
    let cluster = Cluster::start(3).await;
    let copies = names(&cluster, &[0, 1, 2]).await;
    put(&copies[1], "before").await.unwrap();
    for copy in &copies {
        assert!(matches!(copy.apply(Put::Nonsense).await, Err(ApplyError::Failed { .. })));
    }
    assert_eq!(put(&copies[2], "after").await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_one_of_three_has_does_not_begin() {
    let cluster = Cluster::start(3).await;
    let alone = cluster.node(0).replicate("names", Names::default()).within(Duration::from_millis(300)).await;
    assert!(matches!(alone, Err(ReplicateError::Unavailable { .. })), "{alone:?}");
    let copies = names(&cluster, &[1, 0]).await;
    assert_eq!(put(&copies[0], "two are a majority").await, Ok(1));
    let again = cluster.node(0).replicate("names", Names::default()).await.unwrap();
    assert_eq!(again.read(|names| names.0.len()).await, Ok(1), "it is the same machine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_nothing_is_applied_and_the_error_says_so() {
    let mut cluster = Cluster::start_with(3, |config| config.ask_timeout(Duration::from_secs(2))).await;
    let copies = names(&cluster, &[0, 1, 2]).await;
    put(&copies[0], "before").await.unwrap();
    assert_eq!(copies[0].read(|names| names.0.len()).await, Ok(1), "it is in this copy");
    cluster.crash(1);
    cluster.crash(2);
    let refused = put(&copies[0], "after").await;
    assert!(matches!(refused, Err(ApplyError::Unavailable { .. } | ApplyError::Unknown { .. })), "{refused:?}");
    let read = copies[0].read(|names| names.0.len()).await;
    assert!(matches!(read, Err(ApplyError::Unavailable { .. })), "{read:?}");
    assert_eq!(copies[0].read_stale(|names| names.0[0].clone()), "before");
}
