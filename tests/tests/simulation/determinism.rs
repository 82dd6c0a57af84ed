//! The same seed is the same run.

use std::process::Command;
use std::time::Duration;

use casty::testkit::sim::{Client, Faults, Passed, Scenario, Sim};
use casty_tests::bank::*;

fn sim() -> Sim {
    Sim::new(3).observers(1).faults(Faults::all()).lasting(Duration::from_secs(5))
}

fn scenario(run: &mut Scenario) {
    run.client(|mut client: Client| async move {
        let Ok(accounts) = client.node().sharded::<Account>("account").start().await else { return };
        while client.goes_on() {
            let user = accounts.entity(format!("user-{}", client.random(0..5)));
            let _ = user.deposit(Deposit { amount: 1 }).timeout(Duration::from_secs(1)).await;
            // Few asks in a second, so that the run is short.
            tokio::time::sleep(Duration::from_millis(client.random(1..5))).await;
        }
    });
}

fn run(seed: u64) -> Passed {
    sim().run_one(seed, scenario).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let (first, second) = (run(1), run(1));
    let differs = first.lines.iter().zip(&second.lines).find(|(a, b)| a != b);
    assert_eq!(first.fingerprint, second.fingerprint, "they part at {differs:?}");
    assert!(first.fingerprint.events > 1_000, "{}", first.fingerprint);
    assert_ne!(first.fingerprint, run(2).fingerprint);
}

#[test]
fn the_same_seed_gives_the_same_run_with_disks() {
    let run = || Sim::mixed_durable().run_one(3, |run| run.mixed()).unwrap_or_else(|failure| panic!("{failure}"));
    let (first, second) = (run(), run());
    assert_eq!(first.fingerprint, second.fingerprint);
    assert!(
        first.lines.iter().any(|line| line.text.contains("goes on with what it has stored")),
        "a node has restarted"
    );
}

/// The numbers of tokio's tasks are given out by the process, and decide in which order a runtime drops its tasks.
#[test]
fn what_ran_before_in_the_process_does_not_matter() {
    let first = run(4);
    for tasks in 1..4 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        (0..tasks).for_each(|_| drop(runtime.spawn(async {})));
        let again = run(4);
        let differs = first.lines.iter().zip(&again.lines).find(|(a, b)| a != b);
        assert_eq!(first.fingerprint, again.fingerprint, "they part at {differs:?}");
    }
}

/// Has a process of this very test print what tells its run from others, in place of checking anything.
const PRINT_VARIABLE: &str = "CASTY_PRINT_FINGERPRINT";

#[test]
fn two_processes_see_the_same_run() {
    let mine = run(3).fingerprint.to_string();
    if std::env::var_os(PRINT_VARIABLE).is_some() {
        println!("{mine}");
        return;
    }
    let this_test = ["--exact", "determinism::two_processes_see_the_same_run", "--nocapture"];
    let program = std::env::current_exe().unwrap();
    let other = Command::new(program).args(this_test).env(PRINT_VARIABLE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&other.stdout);
    assert!(said.lines().any(|line| line == mine), "here: {mine}; there: {said}");
}
