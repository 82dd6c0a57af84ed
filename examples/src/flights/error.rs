//! Why a run ended without a result.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use casty::base::{BoxError, NodeId};

use super::options::OptionsError;
use super::plant::PlantError;
use super::rows::RowsError;

/// A run that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlightsError {
    /// The options contradict each other.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The file cannot be read.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A fault cannot be planted.
    #[error(transparent)]
    Plant(#[from] PlantError),
    /// A file for results cannot be created.
    #[error("cannot create {file} to write results into: {source}")]
    Create {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A result cannot be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The program cannot start itself.
    #[error("cannot start {node} as a process of this program: {source}")]
    Spawn {
        /// The node.
        node: NodeId,
        /// What the system said.
        source: std::io::Error,
    },
    /// A node process ended on its own.
    #[error("{node} ended before it was {awaited} ({}){log}", how_it_ended(*.status))]
    Ended {
        /// The node.
        node: NodeId,
        /// What was waited for.
        awaited: &'static str,
        /// How it ended, if that is known.
        status: Option<ExitStatus>,
        /// The last lines that it wrote.
        log: Log,
    },
    /// A node process took too long.
    #[error("{node} was not {awaited} within {} s{log}", limit.as_secs())]
    Late {
        /// The node.
        node: NodeId,
        /// What was waited for.
        awaited: &'static str,
        /// How long it had.
        limit: Duration,
        /// The last lines that it wrote.
        log: Log,
    },
    /// A node could not be started or did not become ready.
    #[error("{node} could not {step}: {source}")]
    Node {
        /// The node.
        node: NodeId,
        /// What it was doing.
        step: &'static str,
        /// What casty said.
        source: BoxError,
    },
    /// No child leads a group.
    #[error(
        "no node can be chosen to be killed: none of the living ({living:?}) leads a group; known leaders: {leaders:?}"
    )]
    NobodyToKill {
        /// The children that live.
        living: Vec<NodeId>,
        /// Every node that leads a group.
        leaders: Vec<NodeId>,
    },
    /// A child could not be killed.
    #[error("cannot kill {node}: {source}")]
    Kill {
        /// The node.
        node: NodeId,
        /// What the system said.
        source: std::io::Error,
    },
    /// A departure was not answered.
    #[error("row {row} (departure {ordinal} of aircraft {tailnum}) failed after {} ms: {source}", waited.as_millis())]
    Ask {
        /// The row of the file, from 1, the header not counted.
        row: usize,
        /// The aircraft.
        tailnum: String,
        /// Which row of its aircraft it is.
        ordinal: u64,
        /// From the request to the error.
        waited: Duration,
        /// What casty said.
        source: BoxError,
    },
    /// The totals of an aircraft could not be read back.
    #[error("the totals of aircraft {tailnum} could not be read back: {source}")]
    ReadBack {
        /// The aircraft.
        tailnum: String,
        /// What casty said.
        source: BoxError,
    },
    /// A task that waited for a node process failed.
    #[error("the program failed while it waited for a node: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// The program could not set itself up.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
}

impl FlightsError {
    /// The program's exit status: 2 if an option or the input is wrong, 1 for everything that went wrong later.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Options(_) | Self::Rows(_) | Self::Plant(_) | Self::Create { .. } => 2,
            _ => 1,
        }
    }
}

/// The last lines of a process, shown below an error.
#[derive(Clone, Debug, Default)]
pub struct Log(pub Vec<String>);

impl std::fmt::Display for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it wrote nothing to stderr");
        }
        f.write_str("; the last that it wrote to stderr:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

fn how_it_ended(status: Option<ExitStatus>) -> String {
    status.map_or("it closed its standard output".to_owned(), |status| status.to_string())
}
