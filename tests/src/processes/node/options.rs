//! What a node is told when it starts.

use std::path::PathBuf;
use std::time::Duration;

use casty::{ClientConfig, ClusterConfig, Tls};
use clap::{Args, Parser};

use crate::cluster::insecure;

/// What a node is told when it starts.
#[derive(Clone, Debug, Parser)]
#[command(name = "casty-test-node", about = "A casty node that does what a test harness tells it on standard input")]
pub struct Options {
    /// Its name.
    #[arg(long)]
    pub id: String,
    /// Where it listens, and is dialled.
    #[arg(long)]
    pub address: String,
    /// What it shares with all nodes of the run.
    #[command(flatten)]
    pub shared: Shared,
    /// When the run started, in microseconds of the kernel's monotonic clock.
    #[arg(long, default_value_t = 0)]
    pub origin_us: u64,
    /// The number of this life of the node, from 1 on.
    #[arg(long, default_value_t = 1)]
    pub life: u32,
    /// The number of the node.
    #[arg(long, default_value_t = 0)]
    pub number: u32,
    /// The folder in which it keeps its state; without it in memory.
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// The file in which its clients write down what they see.
    #[arg(long)]
    pub history: Option<PathBuf>,
}

/// What all nodes of a run are told alike.
#[derive(Clone, Debug, Args)]
pub struct Shared {
    /// Where it looks for the others.
    #[arg(long = "seed")]
    pub seeds: Vec<String>,
    /// How many nodes found the cluster.
    #[arg(long)]
    pub nodes: usize,
    /// On how many of them the state of an entity is held.
    #[arg(long)]
    pub replicas: usize,
    /// How long an ask that does not say may take.
    #[arg(long, default_value_t = 5_000)]
    pub ask_timeout_ms: u64,
    /// How long a node is away until it is given up.
    #[arg(long, default_value_t = 20_000)]
    pub remove_after_ms: u64,
}

impl Options {
    /// The first of the numbers that the clients of this life of this node have, and no other client of the run.
    pub(super) fn first_client(&self) -> u64 {
        (u64::from(self.number) << 20) + (u64::from(self.life) << 8)
    }

    /// The settings of a client beside the node: it calls the cluster as a program from outside does, by way of whichever node.
    pub(super) fn client(&self) -> ClientConfig {
        let Shared { seeds, ask_timeout_ms, .. } = &self.shared;
        let seeds = seeds.iter().chain([&self.address]);
        let config = ClientConfig::new(seeds).tls(Tls::insecure()).connect_timeout(Duration::MAX);
        config.ask_timeout(Duration::from_millis(*ask_timeout_ms))
    }

    pub(super) fn config(&self) -> ClusterConfig {
        let Shared { seeds, nodes, replicas, ask_timeout_ms, remove_after_ms } = &self.shared;
        let config = insecure(&self.address)
            .node_id(self.id.as_str())
            .expected_size(*nodes)
            .replicas(*replicas)
            .ask_timeout(Duration::from_millis(*ask_timeout_ms))
            .remove_after(Duration::from_millis(*remove_after_ms));
        let config = match &self.data_dir {
            Some(folder) => config.data_dir(folder),
            None => config,
        };
        // A node that founds alone has no seeds.
        if *nodes > 1 { config.seeds(seeds) } else { config }
    }
}
