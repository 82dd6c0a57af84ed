//! One node process: started, told what to do, signalled, ended.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::node::{Answer, Numbered, Order, Said};
use super::{HarnessError, Log};

/// One life of a node. Its process is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    /// Its end is the node's sign that the harness is gone.
    orders: tokio::sync::Mutex<Option<ChildStdin>>,
    heard: Arc<Heard>,
    ready: watch::Receiver<bool>,
    log: PathBuf,
}

/// What came from the process.
#[derive(Debug, Default)]
struct Heard {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    /// Who waits for the answer to which order. `None` once there will be no more.
    by_number: Option<HashMap<u64, oneshot::Sender<Answer>>>,
}

/// The last lines of a log that an error shows.
const LOG_LINES: usize = 60;

/// How long a killed process takes to end, at most.
const KILLED_LIMIT: Duration = Duration::from_secs(5);

impl Process {
    /// Starts a program as a node, which logs to a file.
    pub(super) fn start(name: String, command: std::process::Command, log: PathBuf) -> Result<Self, HarnessError> {
        let failed = |source| HarnessError::Process { node: name.clone(), action: "start", source };
        let stderr = File::create(&log).map_err(failed)?;
        let mut command = Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let stdout = child.stdout.take().ok_or_else(|| failed(io::Error::other("its standard output is no pipe")))?;
        let heard = Arc::new(Heard::default());
        heard.lock().by_number = Some(HashMap::new());
        let (say_ready, ready) = watch::channel(false);
        tokio::spawn(listen(stdout, heard.clone(), say_ready));
        let orders = tokio::sync::Mutex::new(child.stdin.take());
        Ok(Self { name, child, orders, heard, ready, log })
    }

    /// The name of the node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until the node takes part.
    pub async fn ready(&self, limit: Duration) -> Result<(), HarnessError> {
        let mut ready = self.ready.clone();
        let waited = timeout(limit, ready.wait_for(|ready| *ready)).await;
        self.judge(waited, "become ready", limit).map(drop)
    }

    /// Whether the node takes part, and has not ended since.
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow() && self.heard.lock().by_number.is_some()
    }

    /// An error if the process has ended.
    pub fn lives(&self) -> Result<(), HarnessError> {
        let lives = self.heard.lock().by_number.is_some();
        lives.then_some(()).ok_or_else(|| self.ended("lived until it was ended"))
    }

    /// Has the node do something, and waits for what comes of it.
    pub async fn tell(&self, order: Order, limit: Duration) -> Result<Answer, HarnessError> {
        let awaited = "done what it was told";
        let Some((number, answer)) = self.heard.expect_answer() else { return Err(self.ended(awaited)) };
        let told = timeout(limit, async {
            self.write(&Numbered { number, what: order }).await.ok()?;
            answer.await.ok()
        });
        let told = told.await.map(|answer| answer.ok_or(()));
        self.heard.forget(number);
        match self.judge(told, awaited, limit)? {
            Answer::Failed { why } => Err(HarnessError::Refused { node: self.name.clone(), why }),
            answer => Ok(answer),
        }
    }

    /// Stops the process where it stands (SIGSTOP), until [`resume`](Self::resume).
    pub fn pause(&self) -> Result<(), HarnessError> {
        self.signal(Signal::STOP, "pause")
    }

    /// Lets a process go on that was paused (SIGCONT).
    pub fn resume(&self) -> Result<(), HarnessError> {
        self.signal(Signal::CONT, "resume")
    }

    /// Kills the process with a signal that it can neither catch nor delay (SIGKILL), and waits until it is gone.
    pub async fn kill(mut self) -> Result<(), HarnessError> {
        self.signal(Signal::KILL, "kill")?;
        self.gone(KILLED_LIMIT).await.map(drop)
    }

    /// Has the node shut down in order, and waits until its process is gone.
    pub async fn stop(mut self, limit: Duration) -> Result<(), HarnessError> {
        self.tell(Order::Stop, limit).await?;
        match self.gone(limit).await? {
            status if status.success() => Ok(()),
            _ => Err(self.ended("shut down in order")),
        }
    }

    /// Has the node leave the cluster, which may take `limit`, and end; waits until its process is gone.
    pub async fn leave(self, limit: Duration) -> Result<(), HarnessError> {
        self.tell(Order::Leave, limit).await?;
        self.stop(super::slots::LIMIT).await
    }

    /// Closes the input of the process, as the system does when the harness dies, and waits until it is gone.
    pub async fn abandon(mut self, limit: Duration) -> Result<(), HarnessError> {
        self.orders.lock().await.take();
        self.gone(limit).await.map(drop)
    }

    /// The last lines of what the node has logged.
    pub fn log(&self) -> Log {
        end_of(&self.log)
    }

    async fn gone(&mut self, limit: Duration) -> Result<ExitStatus, HarnessError> {
        let ended = timeout(limit, self.child.wait()).await;
        let late = |_| HarnessError::Late { node: self.name.clone(), awaited: "ended", limit, log: end_of(&self.log) };
        let failed = |source| HarnessError::Process { node: self.name.clone(), action: "wait for", source };
        ended.map_err(late)?.map_err(failed)
    }

    async fn write(&self, order: &Numbered<Order>) -> io::Result<()> {
        let mut line = serde_json::to_vec(order)?;
        line.push(b'\n');
        match self.orders.lock().await.as_mut() {
            Some(orders) => orders.write_all(&line).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn signal(&self, signal: Signal, action: &'static str) -> Result<(), HarnessError> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid as i32)).ok_or_else(|| self.ended(action))?;
        let failed =
            |error: rustix::io::Errno| HarnessError::Process { node: self.name.clone(), action, source: error.into() };
        kill_process(pid, signal).map_err(failed)
    }

    /// What came of waiting: in time, at the end of the process, or not at all.
    fn judge<T, E, L>(
        &self,
        waited: Result<Result<T, E>, L>,
        awaited: &'static str,
        limit: Duration,
    ) -> Result<T, HarnessError> {
        match waited {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) => Err(self.ended(awaited)),
            Err(_) => Err(HarnessError::Late { node: self.name.clone(), awaited, limit, log: self.log() }),
        }
    }

    fn ended(&self, awaited: &'static str) -> HarnessError {
        HarnessError::Ended { node: self.name.clone(), awaited, log: self.log() }
    }
}

impl Heard {
    /// A number for an order, and where its answer will come. `None` if the process says nothing any more.
    fn expect_answer(&self) -> Option<(u64, oneshot::Receiver<Answer>)> {
        let (sender, answer) = oneshot::channel();
        let mut waiting = self.lock();
        let number = waiting.last + 1;
        waiting.by_number.as_mut()?.insert(number, sender);
        waiting.last = number;
        Some((number, answer))
    }

    fn forget(&self, number: u64) {
        if let Some(by_number) = &mut self.lock().by_number {
            by_number.remove(&number);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears what a process says until it ends.
async fn listen(stdout: ChildStdout, heard: Arc<Heard>, ready: watch::Sender<bool>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Said::Ready) => drop(ready.send_replace(true)),
            Ok(Said::Answer(Numbered { number, what })) => {
                let waiting = heard.lock().by_number.as_mut().and_then(|waiting| waiting.remove(&number));
                // Who does not wait any more was told that it came too late.
                waiting.map(|waiting| waiting.send(what));
            }
            Err(error) => tracing::warn!(%error, line, "a node said what cannot be read"),
        }
    }
    heard.lock().by_number = None;
}

/// The last lines of a file.
pub(super) fn end_of(path: &Path) -> Log {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    Log(lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|line| (*line).to_owned()).collect())
}
