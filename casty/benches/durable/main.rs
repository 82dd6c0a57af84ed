//! Entities whose state a quorum has on its disks: `cargo bench -p casty --bench durable [-- PART..]`, parts being `writes` and
//! `recovery`.
//!
//! Three nodes in one process, over loopback, each with a folder on the same disk, take writes: one at a time, and many at
//! once. Then all stop, and it is measured how long it takes from the start of the first until a write is answered. Beside
//! them, where Debian's packages are installed, three processes of etcd (`etcdctl check perf`) and one of redis that syncs
//! every write, and what the disk itself does. Other folders than those of the system's temporary files: `TMPDIR`.
//!
//! Then three nodes write a million entities, their process is killed, and others take their folders.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is no library")]

mod others;
mod recovery;

use std::env;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use casty::prelude::*;
use futures_util::{StreamExt, stream};
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

#[message]
struct Get;

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

    #[handler]
    fn get(&self, _msg: Get) -> u64 {
        self.value
    }
}

#[tokio::main]
async fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [part, folders @ ..] = &args[..]
        && part == "fill"
    {
        return recovery::fill(folders).await;
    }
    let asked_for = |part: &str| args.is_empty() || args.iter().any(|arg| arg == part);
    if asked_for("writes") {
        writes().await;
    }
    if asked_for("recovery") {
        recovery::run().await;
    }
}

async fn writes() {
    let folder = tempfile::tempdir().unwrap();
    println!("the disk: a sync of 4 KiB takes {:?}", sync_of(folder.path()));
    let (_places, folders) = folders();
    let (nodes, registers) = start(&folders).await;
    write(&registers, ENTITIES, 256, ENTITIES).await;
    for (in_flight, writes) in LOADS {
        let took = write(&registers, ENTITIES, in_flight, writes).await;
        println!("casty, {NODES} nodes, {in_flight} in flight: {:.0} writes/s", writes as f64 / took.as_secs_f64());
    }
    stop(nodes).await;
    let begun = Instant::now();
    let (nodes, registers) = start(&folders).await;
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

/// A folder for each node.
fn folders() -> (Vec<TempDir>, Vec<PathBuf>) {
    let places: Vec<TempDir> = (0..NODES).map(|_| tempfile::tempdir().unwrap()).collect();
    let paths = places.iter().map(|place| place.path().to_owned()).collect();
    (places, paths)
}

/// Nodes that are ready, and the registers as the first calls them.
async fn start(folders: &[PathBuf]) -> (Vec<Node>, Sharded<Register>) {
    let mut nodes: Vec<Node> = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let seed = nodes.first().map_or("127.0.0.1:1".to_owned(), |first| first.address());
        let config = ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure()).seeds([seed]).expected_size(NODES);
        let config = config.node_id(format!("node-{number}")).data_dir(folder).ask_timeout(Duration::from_secs(30));
        nodes.push(ActorSystem::cluster(config).await.unwrap());
    }
    for node in &nodes {
        node.ready().await.unwrap();
    }
    let registers = nodes[0].sharded::<Register>("register").start().await.unwrap();
    (nodes, registers)
}

async fn stop(nodes: Vec<Node>) {
    for node in nodes {
        node.shutdown().await;
    }
}

/// Writes so many entities in turn, so many at a time. Each gets the number of its last write.
async fn write(registers: &Sharded<Register>, entities: usize, in_flight: usize, writes: usize) -> Duration {
    let put = |number: usize| {
        let register = registers.entity((number % entities).to_string());
        async move { register.put(Put { value: number as u64 }).await.unwrap() }
    };
    let begun = Instant::now();
    stream::iter(0..writes).map(put).buffer_unordered(in_flight).collect::<()>().await;
    begun.elapsed()
}
