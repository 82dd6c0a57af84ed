//! Clusters that are made anew, from backups and from what is left.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};

use casty::storage::{DiskStores, Identity, StoreError, Stores};
use casty::{BackupError, GroupId, Node, RecoverError, Recovery, Replication, Sharded, inspect, recover};
use casty_tests::bank::*;
use casty_tests::cluster::{Cluster, DEADLINE, Folders, config, node, ready};
use casty_tests::load::Load;
use tempfile::TempDir;

async fn accounts(node: &Node) -> Sharded<Account> {
    node.sharded::<Account>("account").start().await.unwrap()
}

/// A cluster of the one node whose folder was made.
async fn alone(recovery: &Recovery, folder: &Path) -> Cluster {
    let number: usize = recovery.node.as_str().strip_prefix("node-").unwrap().parse().unwrap();
    let mut cluster = Cluster::empty().await;
    let config = config(number, 1).data_dir(folder).net(cluster.network.of(0));
    cluster.add(node(config).await);
    ready(cluster.node(0)).await;
    cluster
}

/// Three nodes, each account with its number as its balance.
async fn with_accounts(folders: &Folders, users: u64) -> Cluster {
    let cluster = Cluster::start_in(folders).await;
    let accounts = accounts(cluster.node(0)).await;
    for user in 0..users {
        assert_eq!(accounts.ask(format!("user-{user}"), Deposit { amount: user }).await, Ok(user));
    }
    cluster
}

async fn assert_balances(accounts: &Sharded<Account>, users: u64) {
    for user in 0..users {
        let account = accounts.entity(format!("user-{user}"));
        assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(user));
    }
}

fn paths(folders: &Folders) -> Vec<PathBuf> {
    (0..folders.len()).map(|number| folders.path(number).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_comes_back_from_backups_that_were_made_under_load() {
    let (folders, backups, into) = (Folders::new(3), Folders::new(3), TempDir::new().unwrap());
    let mut cluster = with_accounts(&folders, 50).await;
    let load = Load::start(&accounts(cluster.node(0)).await, 8);
    for number in 0..3 {
        cluster.node(number).backup(backups.path(number).join("of-today")).await.unwrap();
        let again = cluster.node(number).backup(backups.path(number).join("of-today")).await;
        assert!(again.unwrap_err().to_string().contains("there is a backup already"));
    }
    let written = load.finish().await;
    cluster.stop().await;
    drop(cluster);
    let recovery = recover(paths(&backups).iter().map(|path| path.join("of-today")), into.path()).await.unwrap();
    assert!(recovery.groups.iter().all(|group| group.complete && group.replicas == 3), "{recovery}");
    let mut cluster = alone(&recovery, into.path()).await;
    let restored = accounts(cluster.node(0)).await;
    assert_balances(&restored, 50).await;
    for (id, balance) in written {
        let then = restored.entity(id.as_str()).balance(GetBalance).timeout(DEADLINE).await.unwrap();
        assert!(then <= balance, "{id}: {then} of {balance}");
    }
    // Others join it, with names that the cluster had before.
    for like in (1..=3).filter(|number| format!("node-{number}") != recovery.node.as_str()) {
        cluster.join(like - 1, 2).await;
    }
    cluster.replicated(3).await;
    cluster.crash(0);
    assert_balances(&accounts(cluster.node(1)).await, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_machines_had_not_synced_is_still_there_to_be_recovered() {
    let (folders, into) = (Folders::new(3), TempDir::new().unwrap());
    let mut cluster = with_accounts(&folders, 50).await;
    cluster.stop().await;
    for number in 0..3 {
        std::fs::write(folders.path(number).join("unsynced"), "an earlier start of the machine").unwrap();
    }
    cluster.begin_again(&folders, 0..3).await;
    for number in 0..3 {
        cluster.take(number).shutdown().await;
    }
    drop(cluster);
    let given_up = paths(&folders).into_iter().map(|path| path.join("casty.redb.given-up-1"));
    let recovery = recover(given_up, into.path()).await.unwrap();
    // Here nothing is missing, but nobody could know that.
    assert!(recovery.groups.iter().all(|group| group.found == 3 && !group.complete), "{recovery}");
    let cluster = alone(&recovery, into.path()).await;
    assert_balances(&accounts(cluster.node(0)).await, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_the_one_with_the_longer_log_counts() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    cluster.take(2).shutdown().await;
    let before = accounts(cluster.node(0)).await;
    for user in 0..50 {
        let account = before.entity(format!("user-{user}"));
        assert_eq!(account.deposit(Deposit { amount: user }).timeout(DEADLINE).await, Ok(user));
    }
    cluster.stop().await;
    drop(cluster);
    for from in [[0, 2], [2, 1]] {
        let into = TempDir::new().unwrap();
        let recovery = recover(from.map(|number| folders.path(number).to_owned()), into.path()).await.unwrap();
        assert!(recovery.groups.iter().all(|group| group.complete && group.found == 2), "{recovery}");
        let cluster = alone(&recovery, into.path()).await;
        assert_balances(&accounts(cluster.node(0)).await, 50).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_lost_is_told_and_the_rest_goes_on() {
    let folders = Folders::new(3);
    let mut cluster =
        Cluster::start_in_with(&folders, |config| config.replication(Replication::high_durability().replicas(1))).await;
    let before = accounts(cluster.node(0)).await;
    for user in 0..60 {
        assert_eq!(before.ask(format!("user-{user}"), Deposit { amount: 1 }).await, Ok(1));
    }
    cluster.stop().await;
    // The meta group is on all three.
    let into = TempDir::new().unwrap();
    let recovery = recover([folders.path(1).to_owned()], into.path()).await.unwrap();
    let (meta, data) = recovery.groups.split_first().unwrap();
    assert!(meta.group == GroupId::META && !meta.complete && (meta.found, meta.replicas) == (1, 3), "{recovery}");
    let (kept, lost): (Vec<_>, Vec<_>) = data.iter().partition(|group| group.from.is_some());
    assert!(!kept.is_empty() && !lost.is_empty(), "{recovery}");
    assert!(kept.iter().all(|group| group.complete) && lost.iter().all(|group| !group.complete), "{recovery}");
    drop(cluster);
    let cluster = alone(&recovery, into.path()).await;
    let after = accounts(cluster.node(0)).await;
    let is_kept = |user: u64| kept.iter().any(|group| group.group == after.group_of(&format!("user-{user}")));
    for user in 0..60 {
        let account = after.entity(format!("user-{user}"));
        let expected = u64::from(is_kept(user));
        assert_eq!(account.balance(GetBalance).timeout(DEADLINE).await, Ok(expected));
        assert_eq!(account.deposit(Deposit { amount: 1 }).timeout(DEADLINE).await, Ok(expected + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_longer_before_its_node_dropped_it_is_not_said_to_be_all_there_was() {
    let folders = Folders::new(3);
    let mut cluster = with_accounts(&folders, 50).await;
    cluster.stop().await;
    drop(cluster);
    let group = GroupId(1);
    for number in 0..2 {
        let identity = Identity { node: format!("node-{}", number + 1).as_str().into(), cluster: "casty".to_owned() };
        let stores = DiskStores::open(folders.path(number), &identity).unwrap();
        let beginning = stores.log(group).unwrap().read(0..2, u64::MAX).unwrap();
        let (tell, told) = channel();
        let done = |tell: Sender<_>| Box::new(move |result| tell.send(result).unwrap());
        stores.forget(group, done(tell.clone())).unwrap();
        told.recv().unwrap().unwrap();
        stores.log(group).unwrap().append(beginning, done(tell)).unwrap();
        told.recv().unwrap().unwrap();
    }
    for (from, complete) in [([0, 1], false), ([1, 2], true)] {
        let into = TempDir::new().unwrap();
        let recovery = recover(from.map(|number| folders.path(number).to_owned()), into.path()).await.unwrap();
        for recovered in &recovery.groups {
            assert_eq!(recovered.complete, complete || recovered.group != group, "{recovered}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_has_can_be_looked_into() {
    let folders = Folders::new(3);
    let mut cluster = with_accounts(&folders, 50).await;
    let running = inspect(folders.path(0)).unwrap_err();
    assert!(matches!(running, RecoverError::Store(StoreError::Locked { .. })), "{running}");
    cluster.node(0).backup(folders.path(0).join("backup")).await.unwrap();
    cluster.stop().await;
    for path in [folders.path(0).to_owned(), folders.path(0).join("backup")] {
        let inspection = inspect(path).unwrap();
        assert_eq!((inspection.node.as_str(), inspection.cluster.as_str()), ("node-1", "casty"));
        assert_eq!(inspection.nodes.len(), 3);
        assert_eq!(inspection.entity_types.get("account").map(String::as_str), Some("bank.Account"));
        assert!(inspection.groups.iter().all(|group| group.log.is_some()), "{inspection}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_cluster_is_refused_by_name() {
    let (folders, others, into) = (Folders::new(1), Folders::new(1), TempDir::new().unwrap());
    let refused = |from: Vec<&Path>, into: &Path| {
        let (from, into): (Vec<_>, _) = (from.into_iter().map(Path::to_owned).collect(), into.to_owned());
        async move { recover(from, into).await.unwrap_err() }
    };
    for nothing in [folders.path(0).to_owned(), folders.path(0).join("casty.redb")] {
        let empty = refused(vec![&nothing], into.path()).await;
        assert!(matches!(&empty, RecoverError::Store(StoreError::Missing { path }) if *path == nothing), "{empty}");
        assert!(matches!(inspect(&nothing), Err(RecoverError::Store(StoreError::Missing { .. }))));
    }
    for folders in [&folders, &others] {
        let running = node(config(1, 1).data_dir(folders.path(0))).await;
        ready(&running).await;
        let locked = refused(vec![folders.path(0)], into.path()).await;
        assert!(matches!(locked, RecoverError::Store(StoreError::Locked { .. })), "{locked}");
        running.shutdown().await;
    }
    let mixed = refused(vec![folders.path(0), others.path(0)], into.path()).await;
    assert!(matches!(mixed, RecoverError::Different { .. }), "{mixed}");
    let taken = refused(vec![folders.path(0)], others.path(0)).await;
    assert!(taken.to_string().contains("a node has its file there"), "{taken}");
    let memory = node(config(1, 1)).await;
    let nothing = memory.backup(into.path()).await.unwrap_err();
    assert!(matches!(nothing, BackupError::InMemory), "{nothing}");
}
