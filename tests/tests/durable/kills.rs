//! Processes that are killed (SIGKILL), all at once, under load.

use std::time::Duration;

use casty::testkit::invariants::judge;
use casty::testkit::workload::Notes;
use casty_tests::chaos::gather;
use casty_tests::processes::node::{Answer, Order};
use casty_tests::processes::{Network, Processes, Setup};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often all are killed.
const KILLS: usize = 50;

/// Clients of each node.
const CLIENTS: u64 = 3;

/// Operations of all clients that end between one kill and the next, at least.
const OPERATIONS: usize = 40;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until so many lines stand in all histories.
async fn written(processes: &Processes, lines: usize) -> usize {
    let begun = Instant::now();
    let mut looks = interval(Duration::from_millis(10));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let files = processes.histories().unwrap();
        let now: usize =
            files.iter().map(|file| std::fs::read(file).unwrap().split(|byte| *byte == b'\n').count()).sum();
        if now >= lines {
            return now;
        }
        assert!(begun.elapsed() < DEADLINE, "{now} lines were written, and {lines} were to be");
    }
}

async fn begin(processes: &Processes) {
    for node in 0..3 {
        assert_eq!(processes.tell(node, Order::Begin { clients: CLIENTS }).await.unwrap(), Answer::Done);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_write_is_lost_when_all_processes_are_killed_again_and_again() {
    let setup = Setup { durable: true, ..Setup::new(env!("CARGO_BIN_EXE_casty-test-node"), 3) };
    let mut processes = Processes::start(Network::loopback(), setup).await.unwrap();
    let mut lines = 0;
    for kill in 0..KILLS {
        begin(&processes).await;
        lines = written(&processes, lines + OPERATIONS).await;
        processes.kill_all().await.unwrap();
        // Each time another is the first to come back.
        for node in 0..3 {
            processes.begin((node + kill) % 3).unwrap();
        }
        processes.all_ready(DEADLINE).await.unwrap();
    }
    for node in 0..3 {
        assert_eq!(processes.tell(node, Order::LastLook).await.unwrap(), Answer::Silent(Vec::new()));
    }
    let mut recording = gather(processes.histories().unwrap()).unwrap();
    recording.notes = Notes::default();
    let judgement = judge(&recording);
    assert_eq!(judgement.violations, Vec::<String>::new());
    assert!(judgement.operations > KILLS * OPERATIONS / 4, "{}", judgement.operations);
    processes.end().await.unwrap();
}
