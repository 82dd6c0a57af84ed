//! The side of a partition that has no majority.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use casty::{AskError, GroupId};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;

/// A node that has no leader for two seconds gives up. It notices that it has none within some hundred milliseconds if
/// it led itself, and if not within the 1.5 s after which a silent link is closed.
const TOLD_WITHIN: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_answers_quickly_claims_nothing_and_follows_again_once_it_is_healed() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let lonely = cluster.leader_of(GroupId::META, 0).await;
    let other = cluster.other_than(&[lonely]);
    eventually(DEADLINE, "the leader of the meta group says so", || cluster.node(lonely).is_leader()).await;
    let me = cluster.node(lonely).id();
    let claims = || cluster.node(lonely).leaders().iter().any(|(_, leader)| leader.as_ref() == Some(&me));
    assert!(claims(), "it leads groups");
    let kept = join_all((0..48).map(|user| accounts[other].ask(format!("kept-{user}"), Deposit { amount: 5 }))).await;
    assert!(kept.iter().all(|end| *end == Ok(5)), "{kept:?}");

    cluster.isolate(lonely);
    let ask = async |prefix: &str, user: u64| {
        let id = format!("{prefix}-{user}");
        let begun = Instant::now();
        let end = accounts[lonely].entity(id.as_str()).deposit(Deposit { amount: 1 }).timeout(DEADLINE).await;
        (id, end, begun.elapsed())
    };
    let first = join_all((0..48).map(|user| ask("first", user)));
    // The majority goes on meanwhile.
    let served = join_all((0..48).map(|user| {
        let account = accounts[other].entity(format!("kept-{user}"));
        async move { account.deposit(Deposit { amount: 5 }).timeout(DEADLINE).await }
    }));
    let (first, served) = tokio::join!(first, served);
    assert!(served.iter().all(|end| *end == Ok(10)), "{served:?}");

    eventually(TOLD_WITHIN, "it says no more that it leads", || !cluster.node(lonely).is_leader() && !claims()).await;
    let later = join_all((0..48).map(|user| ask("later", user))).await;
    for (id, end, took) in &later {
        assert!(matches!(end, Err(AskError::Unavailable { .. })), "{id}: {end:?}");
        assert!(*took < Duration::from_secs(1), "{id}: what cannot leave is refused at once, not after {took:?}");
    }
    for (id, end, took) in &first {
        assert!(matches!(end, Err(AskError::Unavailable { .. } | AskError::Unknown { .. })), "{id}: {end:?}");
        assert!(*took < TOLD_WITHIN, "{id}: {took:?}");
    }
    assert!(first.iter().any(|(_, end, _)| matches!(end, Err(AskError::Unknown { .. }))), "some were proposed");

    cluster.network.heal();
    eventually(DEADLINE, "it knows all leaders again", || {
        cluster.node(lonely).leaders().iter().all(|(_, leader)| leader.is_some())
    })
    .await;
    for user in 0..48 {
        let account = accounts[lonely].entity(format!("kept-{user}"));
        assert_eq!(account.deposit(Deposit { amount: 5 }).timeout(DEADLINE).await, Ok(15), "kept-{user}");
    }
    cluster.quiet().await;
    let said: BTreeMap<_, _> = first.into_iter().chain(later).map(|(id, end, _)| (id, end)).collect();
    for (id, end) in said {
        let balance = accounts[other].ask(id.as_str(), GetBalance).await.unwrap();
        let most = u64::from(matches!(end, Err(AskError::Unknown { .. })));
        assert!(balance <= most, "{id} has {balance}, and its asker was told {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_stalls_for_a_moment_loses_and_doubles_nothing() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let user = |user: u64| format!("user-{user}");
    for end in join_all((0..24).map(|n| accounts[0].ask(user(n), Deposit { amount: 1 }))).await {
        assert_eq!(end, Ok(1));
    }
    for stalled in 0..3 {
        let from = cluster.other_than(&[stalled]);
        let group = cluster.ids_led_by(stalled, &accounts[from], "user").map(|id| accounts[from].group_of(&id)).next();
        let group = group.unwrap();
        cluster.isolate(stalled);
        let asks = join_all((0..24).map(|n| {
            let account = accounts[stalled].entity(user(n));
            async move { account.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await }
        }));
        let heal = async {
            // Long enough for an election, and too short for the links to be given up.
            let elected = || cluster.leader_now(group, from).is_some_and(|leader| leader != stalled);
            eventually(DEADLINE, "the others can do without it", elected).await;
            cluster.network.heal();
        };
        let (ends, ()) = tokio::join!(asks, heal);
        for (n, end) in (0..).zip(ends) {
            assert_eq!(end, Ok(stalled as u64 + 2), "{}", user(n));
        }
    }
}
