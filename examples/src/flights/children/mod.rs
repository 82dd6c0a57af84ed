//! The node processes: this program, started again in the role of a node.
//!
//! A child says two things on its standard output: [`LISTENING`] with its address, as soon as it is bound, and
//! [`READY`]. It binds port 0, so no two processes race for a port; the others learn the address of the first from
//! here. It ends when its standard input does, so it does not outlive its parent, however that one ends.

mod process;

use std::collections::BTreeMap;
use std::time::Duration;

use casty::base::NodeId;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::{FlightsError, Log};
use process::Process;

/// The word before a child's address.
pub const LISTENING: &str = "LISTENING";

/// The word of a child that takes part.
pub const READY: &str = "READY";

/// How large the cluster is to be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Nodes that found it.
    pub nodes: u16,
    /// Replicas of each group.
    pub replicas: u16,
}

/// The node processes that have not been killed. Dropping this kills them.
pub struct Children {
    size: Size,
    living: Vec<Process>,
    dead: Vec<Process>,
    /// Those that were started in place of dead ones, and are not ready yet.
    successors: JoinSet<Result<(Process, Duration), FlightsError>>,
    /// Whose place was taken, and how long that took from the start of the process.
    replaced: BTreeMap<NodeId, Duration>,
    deadline: Instant,
}

impl Children {
    /// Starts processes that form one cluster of this size, and waits until each is bound.
    pub async fn start(size: Size) -> Result<Self, FlightsError> {
        let mut children = Self {
            size,
            living: Vec::new(),
            dead: Vec::new(),
            successors: JoinSet::new(),
            replaced: BTreeMap::new(),
            deadline: Instant::now() + START_LIMIT,
        };
        for number in 1..=size.nodes {
            // The first alone founds nothing and has nobody to look for.
            let seeds: Vec<_> = children.living.first().map(|first| first.address.clone()).into_iter().collect();
            let mut process = Process::spawn(NodeId::from(format!("node-{number}")), size, &seeds)?;
            // Only the first is waited for here: the others start side by side.
            if seeds.is_empty() {
                process.listening(children.deadline).await?;
            }
            children.living.push(process);
        }
        for process in children.living.iter_mut().skip(1) {
            process.listening(children.deadline).await?;
        }
        Ok(children)
    }

    /// The addresses of the living.
    pub fn addresses(&self) -> Vec<String> {
        self.living.iter().map(|process| process.address.clone()).collect()
    }

    /// The names of the living.
    pub fn living(&self) -> Vec<NodeId> {
        self.living.iter().map(|process| process.node.clone()).collect()
    }

    /// Waits until each is ready.
    pub async fn ready(&mut self) -> Result<(), FlightsError> {
        for process in &mut self.living {
            process.ready(self.deadline).await?;
        }
        Ok(())
    }

    /// Kills a node with a signal that it can neither catch nor delay (SIGKILL), and does not wait for its end.
    pub fn kill(&mut self, node: &NodeId) -> Result<(), FlightsError> {
        let failed = |source| FlightsError::Kill { node: node.clone(), source };
        let Some(at) = self.living.iter().position(|process| process.node == *node) else {
            return Err(failed(std::io::ErrorKind::NotFound.into()));
        };
        self.living[at].kill().map_err(failed)?;
        let killed = self.living.remove(at);
        self.dead.push(killed);
        Ok(())
    }

    /// Starts a process in place of one that was killed, under its name, and does not wait for it.
    pub fn replace(&mut self, node: &NodeId) -> Result<(), FlightsError> {
        let started = Instant::now();
        let mut process = Process::spawn(node.clone(), self.size, &self.addresses())?;
        self.successors.spawn(async move {
            let deadline = started + START_LIMIT;
            process.listening(deadline).await?;
            process.ready(deadline).await?;
            Ok((process, started.elapsed()))
        });
        Ok(())
    }

    /// Waits until each that was started in place of another is ready.
    pub async fn whole(&mut self) -> Result<(), FlightsError> {
        while let Some(ready) = self.successors.join_next().await {
            let (process, took) = ready??;
            let longest = self.replaced.entry(process.node.clone()).or_default();
            *longest = took.max(*longest);
            self.living.push(process);
        }
        Ok(())
    }

    /// Whose place was taken by another, and the longest time from the start of such a process until it was ready.
    pub fn replaced(&self) -> &BTreeMap<NodeId, Duration> {
        &self.replaced
    }

    /// An error if a process has ended that was not killed: a failover would hide it.
    pub fn check(&mut self) -> Result<(), FlightsError> {
        self.living.iter_mut().try_for_each(Process::still_runs)
    }

    /// The last lines that each of the living wrote to stderr.
    pub fn last_words(&self) -> Vec<(NodeId, Log)> {
        self.living.iter().map(|process| (process.node.clone(), process.last_words())).collect()
    }

    /// Ends the processes and waits for them, so that none is left behind as a zombie.
    pub async fn stop(mut self) {
        for process in self.living.iter_mut().chain(&mut self.dead) {
            process.end().await;
        }
    }
}

/// How long the processes have to start, find each other and elect their leaders.
pub const START_LIMIT: Duration = Duration::from_secs(30);
