//! What the program `chaos` is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use super::Plan;

/// Random faults on a cluster of real processes under load. Needs root for partitions, and python3 for bad wires.
#[derive(Clone, Debug, Parser)]
#[command(name = "chaos")]
pub struct Options {
    /// For how long.
    #[arg(long, default_value_t = 10.0)]
    pub minutes: f64,
    /// How many processes found each cluster.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(3..=9))]
    pub nodes: u16,
    /// How many clients run on each node.
    #[arg(long, default_value_t = 3)]
    pub clients: u64,
    /// For how long one cluster is under faults, in seconds.
    #[arg(long, default_value_t = 40)]
    pub round_seconds: u64,
    /// The nodes keep their state on disks: any number of them may be killed, and all at once.
    #[arg(long)]
    pub durable: bool,

    /// Where the random choices begin; drawn from the clock if it is not given. Round n of a run has this seed plus n.
    #[arg(long)]
    pub seed: Option<u64>,
    /// What joins the nodes.
    #[arg(long, value_enum, default_value_t)]
    pub wires: Wires,
    /// A folder for the logs and histories of rounds in which something does not hold or is not proven.
    #[arg(long)]
    pub evidence: Option<PathBuf>,
    /// A file for the report.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// What joins the nodes, and so which faults there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Wires {
    /// A bridge between namespaces: partitions. Loopback where namespaces cannot be made.
    #[default]
    Bridge,
    /// A switch between namespaces: partitions, delay and loss. Loopback where namespaces cannot be made.
    Switch,
    /// Loopback: processes are killed and paused only.
    Loopback,
}

impl Options {
    pub(super) fn seed(&self) -> u64 {
        let clock = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
        self.seed.unwrap_or_else(clock)
    }

    /// The plan of a round for which so much time is left.
    pub(super) fn plan(&self, seed: u64, left: Duration) -> Plan {
        let round = Duration::from_secs(self.round_seconds);
        Plan {
            seed,
            clients: self.clients,
            faults_for: round.min(left.max(ROUND_MIN)),
            evidence: self.evidence.clone(),
        }
    }
}

/// A round is no shorter than this.
const ROUND_MIN: Duration = Duration::from_secs(10);
