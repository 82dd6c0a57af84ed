//! What entities take in memory, and what it costs that they leave it: `cargo bench -p casty --bench entities`.
//!
//! One node in memory, with entities of one number each, is called by 512 callers: each entity once in a round, in turn, so that with
//! fewer in memory than there are nearly each call makes one anew. Each bound has a process of its own. Linux only.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is no library")]

use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use casty::Sharded;
use casty::prelude::*;
use tokio::task::JoinSet;

const ENTITIES: usize = 500_000;
const CALLERS: usize = 512;
const ROUNDS: usize = 3;
/// How many entities the node may have in memory.
const BOUNDS: [usize; 3] = [ENTITIES, ENTITIES / 2, ENTITIES / 25];
/// The machine may be slow; no call is to end early.
const PATIENCE: Duration = Duration::from_secs(60);
const PAGE_BYTES: f64 = 4_096.0;

#[persistent(total)]
struct Counter {
    total: u64,
}

#[actor(name = "bench.Counter")]
impl Counter {
    fn new(_id: EntityId) -> Self {
        Self { total: 0 }
    }

    #[message]
    fn add(&mut self, number: u64) -> u64 {
        self.total += number;
        self.total
    }
}

#[tokio::main]
async fn main() {
    match env::args().skip_while(|arg| arg != "bound").nth(1) {
        Some(bound) => measure(bound.parse().unwrap()).await,
        None => {
            for bound in BOUNDS {
                let bound = bound.to_string();
                assert!(Command::new(env::current_exe().unwrap()).args(["bound", &bound]).status().unwrap().success());
            }
        }
    }
}

async fn measure(bound: usize) {
    let config = ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure()).live_entities_max(bound);
    let node = ActorSystem::cluster(config).await.unwrap();
    node.ready().await.unwrap();
    let counters = node.sharded::<Counter>("counter").start().await.unwrap();
    let before = resident_mb();
    println!("{ENTITIES} entities, {bound} of them in memory:");
    for round in 1..=ROUNDS {
        let begun = Instant::now();
        call_all(&counters, round as u64).await;
        let rate = ENTITIES as f64 / begun.elapsed().as_secs_f64();
        println!("  round {round}: {rate:.0} calls/s, {:.0} MB more than without entities", resident_mb() - before);
    }
    node.shutdown().await;
}

/// Calls each entity once, which has then been called so often.
async fn call_all(counters: &Sharded<Counter>, times: u64) {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let counters = counters.clone();
        callers.spawn(async move {
            for number in (caller..ENTITIES).step_by(CALLERS) {
                let total = counters.entity(format!("user-{number}")).add(1).timeout(PATIENCE).await;
                assert_eq!(total, Ok(times));
            }
        });
    }
    callers.join_all().await;
}

/// The resident memory of this process.
fn resident_mb() -> f64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    pages * PAGE_BYTES / 1e6
}
