//! Two nodes that both take themselves for the owner of an entity.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use casty::AskError;
use casty::cluster::Kind;
use casty::storage::MemoryEntityStore;
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually, ready};
use casty_tests::journal::*;
use casty_tests::rows::{Rows, Way};
use futures_util::future::{join, join_all};

use super::support::{Kept, LEDGER, List};

async fn start() -> Kept {
    Kept::start(Arc::new(MemoryEntityStore::new())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_that_lands_after_the_next_owner_has_loaded_counts_once_and_in_order() {
    let kept = start().await;
    let (asker, owner) = (0, 1);
    let lists = kept.entities::<List>("list", asker).await;
    let id = kept.cluster.ids_led_by(owner, &lists, "late").next().unwrap();
    kept.go(Way::HoldsSaves);
    let list = lists.entity(id);
    // They are polled, and so sent, in this order.
    let answers = join_all((1..=20).map(|n| list.append(n).timeout(DEADLINE)));
    let takeover = async {
        eventually(DEADLINE, "the owner saves", || kept.ways[owner].begun() == 1).await;
        kept.cluster.tear_off(owner);
        let next = || kept.ways[0].begun() + kept.ways[2].begun();
        eventually(DEADLINE, "the next owner has loaded the entity, and saves", || next() == 1).await;
        kept.ways[owner].go(Way::Open);
        eventually(DEADLINE, "the late save lands", || kept.ways[owner].saved() == 1).await;
        kept.go(Way::Open);
    };
    let (lengths, ()) = join(answers, takeover).await;
    assert_eq!(lengths, (1..=20).map(Ok).collect::<Vec<_>>(), "each was applied once, in the order sent");
    assert_eq!(list.entries().await, Ok((1..=20).collect()));
    assert_eq!(kept.ways[0].refused() + kept.ways[2].refused(), 1, "the next owner noticed when it saved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_finds_a_newer_row_starts_anew_from_it_and_keeps_the_order_of_requests() {
    let kept = start().await;
    let (asker, owner) = (0, 1);
    let lists = kept.entities::<List>("list", asker).await;
    let accounts = kept.entities::<Account>("account", asker).await;
    let id = kept.cluster.ids_led_by(owner, &lists, "newer").next().unwrap();
    let list = lists.entity(id.as_str());
    assert_eq!(list.append(1).await, Ok(1));
    kept.touch("list", &id).await;
    assert_eq!(list.append(2).await, Ok(2));
    assert_eq!(kept.revision("list", &id).await, 3, "what is answered is saved");

    kept.touch("list", &id).await;
    kept.cluster.hold(owner, asker, Kind::REPLY);
    let refused = kept.ways[owner].refused();
    let answers = join_all((3..=4).map(|n| list.append(n).timeout(DEADLINE)));
    let later = async {
        eventually(DEADLINE, "the save is refused", || kept.ways[owner].refused() == refused + 1).await;
        // That these are to be sent again is held back, so this comes ahead of them.
        let last = tokio::spawn({
            let list = list.clone();
            async move { list.append(5).timeout(DEADLINE).await }
        });
        // Sent after it to the same group.
        let beside = (0..).map(|n| format!("beside-{n}")).find(|it| accounts.group_of(it) == lists.group_of(&id));
        let saved = kept.ways[owner].saved();
        let beside = accounts.entity(beside.unwrap());
        let deposit = tokio::spawn(async move { beside.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await });
        eventually(DEADLINE, "it has taken what came after", || kept.ways[owner].saved() > saved).await;
        kept.cluster.network.heal();
        assert_eq!(deposit.await.unwrap(), Ok(1));
        last.await.unwrap()
    };
    let (answers, last) = join(answers, later).await;
    assert_eq!((answers, last), (vec![Ok(3), Ok(4)], Ok(5)));
    assert_eq!(list.entries().await, Ok((1..=5).collect()), "in the order sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_cut_off_answers_nothing_though_the_store_has_taken_its_write() {
    let kept = start().await;
    let (owner, other) = (1, 0);
    let [here, there] = [owner, other].map(|number| kept.entities::<Account>("account", number));
    let (here, there) = (here.await, there.await);
    let id = kept.cluster.ids_led_by(owner, &here, "cut").next().unwrap();
    assert_eq!(here.entity(id.as_str()).deposit(Deposit { amount: 1 }).await, Ok(1));
    kept.ways[owner].go(Way::HoldsSaves);
    let account = here.entity(id.as_str());
    let depositing = tokio::spawn(async move { account.deposit(Deposit { amount: 10 }).timeout(DEADLINE).await });
    eventually(DEADLINE, "the owner saves", || kept.ways[owner].begun() == 2).await;
    kept.cluster.tear_off(owner);
    kept.ways[owner].go(Way::Open);
    eventually(DEADLINE, "the save lands", || kept.ways[owner].saved() == 2).await;
    let account = there.entity(id.as_str());
    assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(11));
    assert_eq!(account.deposit(Deposit { amount: 5 }).await, Ok(16));
    let answer = depositing.await.unwrap();
    assert!(matches!(answer, Err(AskError::Unknown { .. })), "it leads no more: {answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_the_store_leaves_the_entities_to_the_others() {
    let store = MemoryEntityStore::new();
    let with_store = AtomicUsize::new(0);
    let cluster = Cluster::start_with(3, |config| match with_store.fetch_add(1, Ordering::Relaxed) {
        1 => config,
        _ => config.entity_store(LEDGER, store.clone()),
    })
    .await;
    let accounts = cluster.node(1).sharded::<Account>("account").stored_in(LEDGER).start().await.unwrap();
    // Of all groups. Some were given to the node at first.
    let mut left: Vec<_> = (0..60).map(|user| format!("user-{user}")).collect();
    while let Some(id) = left.pop() {
        match accounts.entity(id.as_str()).deposit(Deposit { amount: 1 }).await {
            Ok(balance) => assert_eq!(balance, 1),
            Err(AskError::Unavailable { reason }) => {
                assert!(reason.contains("the store `ledger`"), "{reason}");
                left.push(id);
                ready(cluster.node(1)).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_singleton_is_taken_over_uncalled_with_what_the_store_has() {
    let mut kept = start().await;
    let mut journals = Vec::new();
    for (_, node) in kept.cluster.live() {
        journals.push(node.singleton::<Journal>("journal").stored_in(LEDGER).start().await.unwrap());
    }
    let saved = |ways: &[Rows]| ways.iter().position(|rows| rows.saved() > 0);
    eventually(DEADLINE, "it runs somewhere", || saved(&kept.ways).is_some()).await;
    let owner = saved(&kept.ways).unwrap();
    let asker = kept.cluster.other_than(&[owner]);
    assert_eq!(journals[asker].lives(Lives).await, Ok(1));
    kept.cluster.crash(owner);
    let begun = || kept.cluster.live().any(|(number, _)| kept.ways[number].saved() > 0);
    eventually(DEADLINE, "another node runs it", begun).await;
    assert_eq!(journals[asker].lives(Lives).timeout(DEADLINE).await, Ok(2));
}
