//! What the command line says.

use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};

use super::plant::Plant;

/// Real flights through a cluster of processes that loses a node.
///
/// Streams a month of flights into one entity per aircraft, kills a node in the middle, starts another in its place, reads
/// all totals back, and compares them with a plain sequential fold. The exit status is 0 only if all totals are equal and nothing was lost,
/// doubled or out of order; 1 if not; 2 if an option or the input is wrong. RUST_LOG sets what is logged, to stderr.
#[derive(Debug, Parser)]
#[command(name = "flights", args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Options {
    /// The role of a child.
    #[command(subcommand)]
    pub role: Option<Role>,
    /// The job.
    #[command(flatten)]
    pub job: Job,
}

/// The job's options.
#[derive(Clone, Debug, Args)]
pub struct Job {
    /// The flights, as csv or csv.gz [default: January 2013, which comes with the example]
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// How many node processes to start
    #[arg(long, value_name = "N", default_value_t = 3, allow_negative_numbers = true, value_parser = nodes_range())]
    pub nodes: u16,
    /// How many nodes to kill while the stream runs, 0 for none; without --rejoin a minority of the replicas at most
    #[arg(long, value_name = "K", default_value_t = 1, allow_negative_numbers = true)]
    pub kills: u16,
    /// Whether to start a fresh node in place of each that is killed, under its name, and to wait for it before the next
    /// kill and before the totals are read back
    #[arg(long, value_name = "true|false", default_value_t = true, action = ArgAction::Set, num_args = 0..=1)]
    #[arg(default_missing_value = "true")]
    pub rejoin: bool,
    /// Where to write the totals of all aircraft, as csv
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where to write the figures of the table, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// How many messages may be unanswered at one time
    #[arg(long, value_name = "N", default_value_t = 512, allow_negative_numbers = true, value_parser = window_range())]
    pub window: u32,
    /// A fault to plant into what is sent, but not into what is expected; the run must then fail
    #[arg(long, value_name = "drop|double|swap[:ROW]", hide = true)]
    pub plant: Vec<Plant>,
}

/// What a child of the job does.
#[derive(Clone, Debug, Subcommand)]
pub enum Role {
    /// One node of the cluster, until its standard input ends
    #[command(hide = true)]
    Node(NodeOptions),
}

/// What the job tells a child.
#[derive(Clone, Debug, Args)]
pub struct NodeOptions {
    /// The node's name
    #[arg(long)]
    pub id: String,
    /// How many nodes to wait for
    #[arg(long)]
    pub nodes: u16,
    /// Replicas of each group
    #[arg(long)]
    pub replicas: u16,
    /// Addresses of nodes to join
    #[arg(long = "seed")]
    pub seeds: Vec<String>,
}

/// Options that are well formed, and cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// The cluster cannot lose that many.
    #[error(
        "--kills {kills} is too many for --nodes {nodes}: each group then has {replicas} replica(s) (the largest odd \
         number up to 5 and the nodes), and goes on only while a majority lives, so at most {minority} may be \
         killed{}; {}",
        if *.rejoin { " at one time" } else { "" },
        advice(*.kills, *.minority)
    )]
    Kills {
        /// Kills asked for.
        kills: u16,
        /// Nodes asked for.
        nodes: u16,
        /// Replicas that follow.
        replicas: u16,
        /// Kills that are possible; with replacements, before the next one has to wait for the last.
        minority: u16,
        /// Whether the killed are replaced.
        rejoin: bool,
    },
}

impl Job {
    /// Replicas of each group: the largest odd number up to 5 and the number of nodes. (An even number would add a
    /// node to wait for without one more to lose.)
    pub fn replicas(&self) -> u16 {
        let most = self.nodes.clamp(1, REPLICAS_MAX);
        if most % 2 == 1 { most } else { most - 1 }
    }

    /// Checks what no option alone can be checked for.
    pub fn check(&self) -> Result<(), OptionsError> {
        let (kills, nodes, replicas) = (self.kills, self.nodes, self.replicas());
        let (minority, rejoin) = ((replicas - 1) / 2, self.rejoin);
        // Whoever is replaced before the next one is killed leaves no group with less than it had.
        let dead_at_once = if rejoin { kills.min(1) } else { kills };
        if dead_at_once > minority {
            return Err(OptionsError::Kills { kills, nodes, replicas, minority, rejoin });
        }
        Ok(())
    }

    /// The file to read.
    pub fn input(&self) -> PathBuf {
        self.input.clone().unwrap_or_else(|| PathBuf::from(JANUARY))
    }
}

const NODES_MAX: i64 = 32;
const WINDOW_MAX: i64 = 65_536;
const REPLICAS_MAX: u16 = 5;
const JANUARY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/flights-2013-01.csv.gz");

fn nodes_range() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=NODES_MAX)
}

fn window_range() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=WINDOW_MAX)
}

fn advice(kills: u16, minority: u16) -> &'static str {
    match (kills, minority) {
        (_, 0) => "use 3 nodes or more, or --kills 0",
        (2, _) => "use 5 nodes or more, kill fewer, or leave --rejoin on",
        _ => "kill 2 at most, with 5 nodes or more, or leave --rejoin on",
    }
}
