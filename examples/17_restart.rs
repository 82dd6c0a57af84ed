//! State that outlives the process: run it twice, `cargo run --example 17_restart -- FOLDER`, and it counts on. Without a
//! folder it takes one of its own, and starts the node twice itself.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::path::Path;

use casty::prelude::*;
use tracing_subscriber::EnvFilter;

#[message]
struct Start;

/// How often the program was started.
#[persistent]
struct Starts {
    count: u64,
}

#[actor]
impl Starts {
    fn new(_id: EntityId) -> Self {
        Self { count: 0 }
    }

    /// The answer leaves when the new count is on the disk.
    #[handler]
    fn start(&mut self, _: Start) -> u64 {
        self.count += 1;
        self.count
    }
}

/// Starts a node in a folder, counts, and stops.
async fn run(folder: &Path) -> Result<(), BoxError> {
    // The folder belongs to a node of this name. With three nodes, each has a name and a folder of its own.
    let config = ClusterConfig::new("127.0.0.1:0").tls(Tls::insecure()).node_id("node-1").data_dir(folder);
    let node = ActorSystem::cluster(config).await?;
    node.ready().await?;
    let starts = node.sharded::<Starts>("starts").start().await?;
    println!("start number {} in {}", starts.entity("this program").start(Start).await?, folder.display());
    // A kill would do as well: whatever was answered is there.
    node.shutdown().await;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,openraft=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if let Some(folder) = std::env::args_os().nth(1) {
        return run(Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir()?;
    run(folder.path()).await?;
    run(folder.path()).await
}
