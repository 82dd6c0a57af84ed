//! When there are elections, and when not.

use std::collections::{BTreeMap, BTreeSet};

use casty::{GroupId, GroupPlacement};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::future::join_all;

const CALLERS: u64 = 32;
const WRITES_EACH: u64 = 63;
const ENTITIES: u64 = 4;

fn terms(cluster: &Cluster) -> BTreeMap<(usize, GroupId), u64> {
    cluster.statuses().into_iter().map(|(place, status)| (place, status.term)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_concurrent_callers_of_few_entities_are_all_answered_and_cause_no_election() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    cluster.quiet().await;
    let before = terms(&cluster);
    let callers = (0..CALLERS).map(|caller| {
        let accounts = accounts[caller as usize % 3].clone();
        tokio::spawn(async move {
            for n in 0..WRITES_EACH {
                let account = accounts.entity(format!("user-{}", (caller + n) % ENTITIES));
                account.deposit(Deposit { amount: 1 }).await.unwrap();
            }
        })
    });
    for caller in join_all(callers).await {
        caller.unwrap();
    }
    let balances = join_all((0..ENTITIES).map(|n| accounts[0].ask(format!("user-{n}"), GetBalance))).await;
    assert_eq!(balances.into_iter().map(Result::unwrap).sum::<u64>(), CALLERS * WRITES_EACH);
    assert_eq!(terms(&cluster), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_cut_off_causes_no_election_when_it_comes_back() {
    let cluster = Cluster::start(3).await;
    let lonely = cluster.leader_of(GroupId::META, 0).await;
    let others: Vec<_> = cluster.live().map(|(number, _)| number).filter(|number| *number != lonely).collect();
    cluster.isolate(lonely);
    eventually(DEADLINE, "the others lead all groups", || {
        let led = |number: usize| {
            let leaders = cluster.node(number).leaders();
            leaders.iter().all(|(_, leader)| leader.as_ref().is_some_and(|leader| *leader != cluster.node(lonely).id()))
        };
        others.iter().all(|number| led(*number)) && cluster.leader_now(GroupId(1), lonely).is_none()
    })
    .await;
    let terms_of_others = || {
        let all = terms(&cluster);
        all.into_iter().filter(|((number, _), _)| others.contains(number)).collect::<BTreeMap<_, _>>()
    };
    eventually(DEADLINE, "the others are of one term", || {
        let (first, second) = (others[0], others[1]);
        cluster.node(first).groups().iter().all(|(group, status)| status.term == cluster.status(second, *group).term)
    })
    .await;
    let before = terms_of_others();
    cluster.network.heal();
    eventually(DEADLINE, "it follows", || cluster.node(lonely).leaders().iter().all(|(_, leader)| leader.is_some()))
        .await;
    cluster.quiet().await;
    // The groups that it should lead are handed back to it, which is one term. If it stood for election by itself, it would have
    // come back with the terms of all its vain attempts, in every group.
    let me = cluster.node(lonely).id();
    let leads = |at: &GroupPlacement| at.replicas.first() == Some(&me);
    let its_own: BTreeSet<_> =
        cluster.node(lonely).placements().iter().filter(|at| leads(at)).map(|at| at.group).collect();
    for ((number, group), term) in terms_of_others() {
        let most = before[&(number, group)] + u64::from(its_own.contains(&group));
        assert!(term <= most, "group {group} on node {number}: term {term} after {most}");
    }
}
