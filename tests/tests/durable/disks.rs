//! Disks that are full, and folders that cannot be used.

use std::path::Path;
use std::time::Duration;

use casty::storage::StoreError;
use casty::{ActorSystem, StartError};
use casty_tests::cluster::{DEADLINE, Folders, config};
use casty_tests::processes::node::{Answer, Order};
use casty_tests::processes::{HarnessError, Network, Processes, Setup, skipped};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The room on the disk of a node.
const DISK_BYTES: u64 = 64 << 20;

/// Three processes, each with a small disk of its own. `None` where disks cannot be mounted.
async fn with_disks(test: &str) -> Option<Processes> {
    let setup = Setup { durable: true, ..Setup::new(env!("CARGO_BIN_EXE_casty-test-node"), 3) };
    let mut processes = Processes::empty(Network::loopback(), setup).unwrap();
    for node in 0..3 {
        if let Err(error) = processes.mount(node, DISK_BYTES) {
            skipped(test, &error.to_string());
            return None;
        }
    }
    for node in 0..3 {
        processes.begin(node).unwrap();
    }
    processes.all_ready(DEADLINE).await.unwrap();
    Some(processes)
}

async fn deposit(processes: &Processes, node: usize, account: usize) -> Result<u64, HarnessError> {
    let order = Order::Deposit { account: format!("user-{account}"), amount: 1 };
    match processes.tell(node, order).await? {
        Answer::Balance(balance) => Ok(balance),
        other => unreachable!("{other:?}"),
    }
}

async fn balance(processes: &Processes, node: usize, account: usize) -> Result<u64, HarnessError> {
    match processes.tell(node, Order::Balance { account: format!("user-{account}") }).await? {
        Answer::Balance(balance) => Ok(balance),
        other => unreachable!("{other:?}"),
    }
}

/// Pays in again and again until it is answered.
async fn deposit_at_last(processes: &Processes, node: usize, account: usize) {
    let begun = Instant::now();
    let mut looks = interval(Duration::from_millis(50));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match deposit(processes, node, account).await {
            Ok(_) => return,
            Err(error) => assert!(begun.elapsed() < 2 * DEADLINE, "{error}"),
        }
    }
}

/// Accounts in all groups.
const ACCOUNTS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_disk_is_full_others_serve_and_it_goes_on_when_there_is_room() {
    let Some(mut processes) = with_disks("a full disk").await else { return };
    for account in 0..ACCOUNTS {
        assert_eq!(deposit(&processes, 0, account).await.unwrap(), 1);
    }
    processes.disk(0).unwrap().fill().unwrap();
    // A write that its node could not store may fail; others take over what it led.
    for account in 0..ACCOUNTS {
        deposit_at_last(&processes, 1, account).await;
    }
    let before: Vec<u64> = read_all(&processes, 1).await;
    assert!(before.iter().all(|balance| *balance >= 2), "{before:?}");
    processes.all_live().unwrap();
    processes.disk(0).unwrap().free().unwrap();
    // It has all of it, and can be one of the two that are left.
    for account in 0..ACCOUNTS {
        deposit_at_last(&processes, 0, account).await;
    }
    processes.kill(2).await.unwrap();
    for account in 0..ACCOUNTS {
        deposit_at_last(&processes, 0, account).await;
    }
    let after = read_all(&processes, 1).await;
    assert!(after.iter().zip(&before).all(|(after, before)| *after >= before + 2), "{before:?}, {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_all_disks_are_full_reads_are_served_writes_are_refused_and_nothing_is_lost() {
    let Some(processes) = with_disks("full disks").await else { return };
    for account in 0..ACCOUNTS {
        assert_eq!(deposit(&processes, 0, account).await.unwrap(), 1);
    }
    for node in 0..3 {
        processes.disk(node).unwrap().fill().unwrap();
    }
    // The first write finds it out, and is not answered; from then on the error says what to do.
    let mut refused = false;
    for account in 0..2 * ACCOUNTS {
        if let Err(error) = deposit(&processes, account % 3, account % ACCOUNTS).await {
            refused |= error.to_string().contains("there is no room on the disk");
        }
    }
    assert!(refused, "a write was refused for want of room");
    assert_eq!(read_all(&processes, 0).await.len(), ACCOUNTS);
    for node in 0..3 {
        processes.disk(node).unwrap().free().unwrap();
    }
    for account in 0..ACCOUNTS {
        deposit_at_last(&processes, 2, account).await;
    }
    processes.all_live().unwrap();
}

async fn read_all(processes: &Processes, node: usize) -> Vec<u64> {
    let mut all = Vec::new();
    for account in 0..ACCOUNTS {
        all.push(balance(processes, node, account).await.unwrap());
    }
    all
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error_that_names_it() {
    let folders = Folders::new(1);
    let file = folders.path(0).join("file");
    std::fs::write(&file, "no folder").unwrap();
    let start = |folder: &Path| ActorSystem::cluster(config(1, 1).data_dir(folder));
    // A file stands in its place; and, for who is not root, a folder that may not be written.
    let refused = start(&file).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::Io { .. })), "{refused:?}");
    assert!(refused.to_string().contains(&file.display().to_string()), "{refused}");
    let store = folders.path(0).join("store");
    start(&store).await.unwrap().shutdown().await;
    std::fs::write(store.join("casty.redb"), b"something else").unwrap();
    let refused = start(&store).await.unwrap_err();
    assert!(matches!(refused, StartError::Store(StoreError::Corrupted { .. })), "{refused:?}");
    assert!(refused.to_string().contains("casty.redb"), "{refused}");
}
