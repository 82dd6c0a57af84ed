//! Half a minute of the program `chaos`.

#![cfg(test)]

use std::time::Duration;

use casty_tests::chaos::{Plan, Wires, round};
use casty_tests::processes::Setup;
use tokio::sync::Mutex;

/// Clusters share the machine's cores: one after the other.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_holds_while_real_processes_are_killed_and_paused_and_cut_off() {
    let _alone = ALONE.lock().await;
    let setup = Setup::new(env!("CARGO_BIN_EXE_casty-test-node"), 5);
    let plan = Plan { seed: 1, clients: 2, faults_for: Duration::from_secs(18), evidence: None };
    let report = round(Wires::Bridge, setup, plan).await.unwrap();
    assert!(report.is_good(), "{report}");
    assert!(report.operations > 500, "{report}");
    println!("{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_holds_while_processes_with_disks_are_killed_in_any_number() {
    let _alone = ALONE.lock().await;
    let setup = Setup { durable: true, ..Setup::new(env!("CARGO_BIN_EXE_casty-test-node"), 5) };
    let plan = Plan { seed: 2, clients: 2, faults_for: Duration::from_secs(18), evidence: None };
    let report = round(Wires::Bridge, setup, plan).await.unwrap();
    assert!(report.is_good(), "{report}");
    assert!(report.operations > 300, "{report}");
    println!("{report}");
}
