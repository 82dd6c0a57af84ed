//! What can go wrong between the harness and the system.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the harness could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// A program is missing.
    #[error("cannot start `{command}`: is it installed?")]
    Program {
        /// The program and its arguments.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program failed.
    #[error("`{command}` failed: {said}")]
    Failed {
        /// The program and its arguments.
        command: String,
        /// What it wrote to its standard error.
        said: String,
    },
    /// A file, a folder or a mount.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The network has no such fault.
    #[error("{network} cannot {fault}: make the network with `{instead}`")]
    NoSuchFault {
        /// The kind of network.
        network: &'static str,
        /// What was asked for.
        fault: &'static str,
        /// What makes a network that can.
        instead: &'static str,
    },
    /// The node does not run.
    #[error("{node} does not run: `restart` it first")]
    NotRunning {
        /// The node.
        node: String,
    },
    /// The process did not start, or did not take a signal.
    #[error("cannot {action} {node}")]
    Process {
        /// The node.
        node: String,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The process ended by itself.
    #[error("{node} ended, and should have {awaited}; its log ends with\n{log}")]
    Ended {
        /// The node.
        node: String,
        /// What it should have done.
        awaited: &'static str,
        /// The end of its log.
        log: Log,
    },
    /// The process did not do in time what it was told to.
    #[error("{node} has not {awaited} within {limit:?}; its log ends with\n{log}")]
    Late {
        /// The node.
        node: String,
        /// What it should have done.
        awaited: &'static str,
        /// The time that it had.
        limit: Duration,
        /// The end of its log.
        log: Log,
    },
    /// The process answered that it could not do what it was told to.
    #[error("{node} could not do what it was told: {why}")]
    Refused {
        /// The node.
        node: String,
        /// What it said.
        why: String,
    },
}

/// The last lines of a node's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log(pub Vec<String>);

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "  | {line}"))
    }
}
