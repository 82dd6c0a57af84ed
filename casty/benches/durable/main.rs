//! Entities whose state a quorum has on its disks: `cargo bench -p casty --bench durable`.
//!
//! Three nodes in one process, over loopback, each with a folder on the same disk, take writes: one at a time, and many at
//! once. Then all stop, and it is measured how long it takes from the start of the first until a write is answered. Beside
//! them, where Debian's packages are installed, three processes of etcd (`etcdctl check perf`) and one of redis that syncs
//! every write, and what the disk itself does. Other folders than those of the system's temporary files: `TMPDIR`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is no library")]

mod others;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use casty::prelude::*;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tempfile::TempDir;

/// How many writes are under way, and how many there are in all.
const LOADS: [(usize, usize); 3] = [(1, 300), (256, 40_000), (4_096, 200_000)];
/// The entities that are written.
const ENTITIES: usize = 4_096;
const NODES: usize = 3;
/// Syncs of a small write to a file, to know what the disk does.
const SYNCS: u32 = 200;

#[message]
struct Put {
    value: u64,
}

#[persistent]
struct Register {
    value: u64,
}

#[actor(name = "bench.Register")]
impl Register {
    fn new(_id: EntityId) -> Self {
        Self { value: 0 }
    }

    #[handler]
    fn put(&mut self, msg: Put) {
        self.value = msg.value;
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("the disk: a sync of 4 KiB takes {:?}", sync_of(folder.path()));
    let folders: Vec<TempDir> = (0..NODES).map(|_| tempfile::tempdir().unwrap()).collect();
    let nodes = start(&folders).await;
    let registers = nodes[0].sharded::<Register>("register").start().await.unwrap();
    write(&registers, 256, ENTITIES).await;
    for (in_flight, writes) in LOADS {
        let took = write(&registers, in_flight, writes).await;
        println!("casty, {NODES} nodes, {in_flight} in flight: {:.0} writes/s", writes as f64 / took.as_secs_f64());
    }
    stop(nodes).await;
    let begun = Instant::now();
    let nodes = start(&folders).await;
    let registers = nodes[0].sharded::<Register>("register").start().await.unwrap();
    registers.entity("0").put(Put { value: 1 }).await.unwrap();
    println!("casty: all stopped, from the first start to the first answer: {:?}", begun.elapsed());
    stop(nodes).await;
    others::redis(folder.path(), &LOADS);
    others::etcd(folder.path());
}

/// How long the disk takes to sync a small write.
fn sync_of(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("synced")).unwrap();
    let begun = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    begun.elapsed() / SYNCS
}

async fn start(folders: &[TempDir]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let seed = nodes.first().map_or("127.0.0.1:1".to_owned(), |first| first.address());
        let config = ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure()).seeds([seed]).expected_size(NODES);
        let config =
            config.node_id(format!("node-{number}")).data_dir(folder.path()).ask_timeout(Duration::from_secs(30));
        nodes.push(ActorSystem::cluster(config).await.unwrap());
    }
    for node in &nodes {
        node.ready().await.unwrap();
    }
    nodes
}

async fn stop(nodes: Vec<Node>) {
    for node in nodes {
        node.shutdown().await;
    }
}

/// Writes the entities in turn, so many at a time.
async fn write(registers: &Sharded<Register>, in_flight: usize, writes: usize) -> Duration {
    let begun = Instant::now();
    let put = |number: usize| {
        let register = registers.entity((number % ENTITIES).to_string());
        async move { register.put(Put { value: number as u64 }).await.unwrap() }
    };
    let mut under_way: FuturesUnordered<_> = (0..in_flight.min(writes)).map(put).collect();
    let mut next = under_way.len();
    while under_way.next().await.is_some() {
        if next < writes {
            under_way.push(put(next));
            next += 1;
        }
    }
    begun.elapsed()
}
