//! How long a cluster takes to form, and what it costs while nobody uses it: `cargo bench -p casty --bench cluster`.
//!
//! Clusters form in one process, over loopback, with the default settings: the time is from the start of the first node until
//! all are ready. Idle nodes are processes of their own, which measure themselves. Linux only.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is no library")]

use std::env;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use casty::prelude::*;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

/// Clusters that form: how many nodes they have, and how often they do.
const FORMED: [(usize, usize); 2] = [(3, 9), (25, 3)];
const IDLE_NODES: usize = 3;
/// How long a cluster has to come to rest.
const SETTLING: Duration = Duration::from_secs(5);
/// How long it is watched then.
const WATCHED: Duration = Duration::from_secs(10);
/// Where nobody listens: the seed of a first node.
const NOBODY: &str = "127.0.0.1:1";

fn main() {
    let args: Vec<String> = env::args().collect();
    if let [_, part, number, seed] = &args[..]
        && part == "idle"
    {
        runtime().block_on(idle(number.parse().unwrap(), seed));
        return;
    }
    for (nodes, times) in FORMED {
        let mut took: Vec<_> = (0..times).map(|_| runtime().block_on(form(nodes))).collect();
        took.sort_unstable();
        println!(
            "{nodes} nodes form a cluster: {:?} (median), {:?} to {:?}",
            took[times / 2],
            took[0],
            took[times - 1]
        );
    }
    let used = idle_processes();
    println!("{IDLE_NODES} idle nodes: {used:.2?} % of a core");
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

async fn start(number: usize, size: usize, seed: &str) -> Node {
    let config = ClusterConfig::new("127.0.0.1:0").node_id(format!("node-{number:02}")).expected_size(size);
    ActorSystem::cluster(config.tls(Tls::insecure()).seeds([seed])).await.unwrap()
}

/// How long it takes until so many nodes are ready.
async fn form(size: usize) -> Duration {
    let begun = Instant::now();
    let first = start(1, size, NOBODY).await;
    let seed = first.address();
    let mut nodes = vec![first];
    for number in 2..=size {
        nodes.push(start(number, size, &seed).await);
    }
    for node in &nodes {
        node.ready().await.unwrap();
    }
    let took = begun.elapsed();
    for node in nodes {
        node.shutdown().await;
    }
    took
}

/// One of the idle nodes, in a process of its own. It says where it is, and at the end what it has used, in percent of a core.
async fn idle(number: usize, seed: &str) {
    let node = start(number, IDLE_NODES, seed).await;
    println!("{}", node.address());
    node.ready().await.unwrap();
    sleep(SETTLING).await;
    let before = cpu_time();
    sleep(WATCHED).await;
    println!("{}", 100.0 * (cpu_time() - before).as_secs_f64() / WATCHED.as_secs_f64());
    // Until all have measured.
    tokio::task::spawn_blocking(|| io::read_to_string(io::stdin())).await.unwrap().unwrap();
}

fn idle_processes() -> Vec<f64> {
    let mut seed = NOBODY.to_owned();
    let mut nodes = Vec::new();
    for number in 1..=IDLE_NODES {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["idle", &number.to_string(), &seed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = said.next().unwrap().unwrap();
        if number == 1 {
            seed = address;
        }
        nodes.push((process, said));
    }
    let used = nodes.iter_mut().map(|(_, said)| said.next().unwrap().unwrap().parse().unwrap()).collect();
    for (process, _) in &mut nodes {
        end(process);
    }
    used
}

fn end(process: &mut Child) {
    drop(process.stdin.take());
    process.wait().unwrap();
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}
