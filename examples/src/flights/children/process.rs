//! One node process: started, listened to, killed.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use casty::base::NodeId;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use super::super::error::{FlightsError, Log};
use super::super::report;
use super::{LISTENING, READY, START_LIMIT, Size};

/// One node process, from its start on.
pub(super) struct Process {
    /// Its name.
    pub(super) node: NodeId,
    /// Where it listens; empty before it said so.
    pub(super) address: String,
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    log: Arc<Mutex<VecDeque<String>>>,
    /// Held open: its end is the child's sign that the parent is gone.
    _stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts a node of a cluster of this size; it joins `seeds`.
    pub(super) fn spawn(node: NodeId, size: Size, seeds: &[String]) -> Result<Self, FlightsError> {
        let failed = |source| FlightsError::Spawn { node: node.clone(), source };
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.arg("node").args(["--id", node.as_str()]);
        command.arg("--nodes").arg(size.nodes.to_string()).arg("--replicas").arg(size.replicas.to_string());
        for seed in seeds {
            command.args(["--seed", seed]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let missing = || failed(std::io::Error::other("its standard output is no pipe"));
        let said = BufReader::new(child.stdout.take().ok_or_else(missing)?).lines();
        let log = Arc::default();
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(keep_log(stderr, node.clone(), Arc::clone(&log)));
        }
        Ok(Self { _stdin: child.stdin.take(), node, address: String::new(), child, said, log })
    }

    /// Waits until it is bound.
    pub(super) async fn listening(&mut self, deadline: Instant) -> Result<(), FlightsError> {
        self.address = self.hears(LISTENING, "listening", deadline).await?;
        Ok(())
    }

    /// Waits until it takes part.
    pub(super) async fn ready(&mut self, deadline: Instant) -> Result<(), FlightsError> {
        self.hears(READY, "ready", deadline).await.map(drop)
    }

    /// Sends SIGKILL.
    pub(super) fn kill(&mut self) -> std::io::Result<()> {
        self.child.start_kill()
    }

    /// An error if it has ended, though nobody killed it.
    pub(super) fn still_runs(&mut self) -> Result<(), FlightsError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            ended => {
                let (status, log) = (ended.ok().flatten(), self.last_words());
                Err(FlightsError::Ended { node: self.node.clone(), awaited: "told to", status, log })
            }
        }
    }

    /// Ends it and waits for its end.
    pub(super) async fn end(&mut self) {
        // An error means that the process has ended already, which is what is wanted.
        let _ = self.child.kill().await;
    }

    /// Waits until the child says `word`, and returns the rest of that line.
    async fn hears(
        &mut self,
        word: &'static str,
        awaited: &'static str,
        deadline: Instant,
    ) -> Result<String, FlightsError> {
        match timeout_at(deadline, find_line(&mut self.said, word)).await {
            Ok(Some(rest)) => Ok(rest),
            Ok(None) => {
                let status = timeout_at(deadline, self.child.wait()).await.ok().and_then(Result::ok);
                Err(FlightsError::Ended { node: self.node.clone(), awaited, status, log: self.last_words() })
            }
            Err(_) => {
                let (node, log) = (self.node.clone(), self.last_words());
                Err(FlightsError::Late { node, awaited, limit: START_LIMIT, log })
            }
        }
    }

    /// The last lines that it wrote to stderr.
    pub(super) fn last_words(&self) -> Log {
        Log(self.log.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect())
    }
}

/// The rest of the first line that begins with `word`. `None` if the child closed its output before.
async fn find_line(lines: &mut Lines<impl AsyncBufRead + Unpin>, word: &str) -> Option<String> {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(rest) = line.strip_prefix(word) {
            return Some(rest.trim().to_owned());
        }
    }
    None
}

/// Keeps the last lines that a child writes to stderr, and passes them on if the user asked for a log.
async fn keep_log(stderr: ChildStderr, node: NodeId, log: Arc<Mutex<VecDeque<String>>>) {
    let passed_on = std::env::var_os("RUST_LOG").is_some();
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if passed_on {
            report::say(&format!("{node}: {line}"));
        }
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == LOG_LINES_MAX {
            log.pop_front();
        }
        log.push_back(line);
    }
}

/// Lines of a child's stderr that are kept for the error report.
const LOG_LINES_MAX: usize = 40;
