//! How many instructions the processor carries out for one tell and one ask, the work of tokio's scheduler included:
//! `cargo bench -p casty --bench instructions`. Unlike times they are the same from run to run, so that small changes
//! show. Needs `valgrind`; says so where there is none.
//!
//! The program runs itself under callgrind twice for each path, the second time with more operations, and divides the
//! difference by them: what happens once falls out. The runtime has one thread.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a bench is no library")]

mod adder;

use std::env;
use std::process::{Command, Stdio};

use casty::prelude::*;

use self::adder::{Add, Adder, Sum};

/// What is counted. In a relay, the handler of one actor asks another: two asks, of which one could close a ring.
const PATHS: [&str; 4] = ["tell", "ask", "relay", "relay without ring detection"];
/// How many operations the two runs have.
const COUNTS: [u64; 2] = [10_000, 30_000];
/// How many messages are sent before the actor gets its turn.
const BURST: u64 = 100;

struct Relay(ActorRef<Adder>);

#[actor]
impl Relay {
    #[handler]
    async fn sum(&mut self, sum: Sum) -> u64 {
        self.0.ask(sum).await.unwrap()
    }
}

fn main() {
    let args: Vec<String> = env::args().collect();
    if let [_, path, count] = &args[..]
        && let Ok(count) = count.parse()
    {
        work(path.clone(), count);
        return;
    }
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: there is no valgrind on this machine");
        return;
    }
    for path in PATHS {
        let [few, many] = COUNTS.map(|count| instructions(path, count));
        println!("{path}: {} instructions", (many - few).div_ceil(COUNTS[1] - COUNTS[0]));
    }
}

fn work(path: String, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let system = ActorSystem::builder("bench").detect_ask_cycles(path != "relay without ring detection").build();
    let work = async move {
        let adder = system.spawn(Adder(0)).await.unwrap();
        let relay = system.spawn(Relay(adder.clone())).await.unwrap();
        match &*path {
            "tell" => {
                for _ in 0..count / BURST {
                    for _ in 0..BURST {
                        adder.send(Add(1)).await.unwrap();
                    }
                    tokio::task::yield_now().await;
                }
            }
            "ask" => {
                for _ in 0..count {
                    adder.ask(Sum).await.unwrap();
                }
            }
            _ => {
                for _ in 0..count {
                    relay.ask(Sum).await.unwrap();
                }
            }
        }
    };
    // A task: a runtime looks for events each time that its main future waits.
    runtime.block_on(async { tokio::spawn(work).await.unwrap() });
}

/// The instructions of one run.
fn instructions(path: &str, count: u64) -> u64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().unwrap())
        .args([path, &count.to_string()])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&run.stderr);
    let total = report.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    total.unwrap_or_else(|| panic!("valgrind did not say how many instructions there were: {report}"))
}
