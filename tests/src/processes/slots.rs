//! The nodes of a run, each with the process that lives for it now.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::try_join_all;

use super::folder::Folder;
use super::node::{Answer, Order, Status};
use super::{Clock, Disk, HarnessError, Network, Process, sweep};
use crate::processes::process::end_of;

/// How long a node may take for what the harness tells it.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// How the names of histories end.
const HISTORY: &str = "history";

/// How nodes are started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node program.
    pub program: PathBuf,
    /// What it is told before the options of a node.
    pub arguments: Vec<OsString>,
    /// How many nodes found the cluster.
    pub founders: usize,
    /// On how many of them state is held.
    pub replicas: usize,
    /// How long an ask of a node that does not say may take.
    pub ask_timeout: Duration,
    /// How long a node is away until it is given up.
    pub remove_after: Duration,
    /// The nodes keep their state in folders, and go on when they are started again.
    pub durable: bool,
    /// What they write there is not synced before it counts as stored.
    pub unsynced: bool,
}

/// The nodes of a run, numbered from 0 on. All that they are goes with this; if that is because a test fails, their logs
/// are shown.
#[derive(Debug)]
pub struct Processes {
    // In the order in which they must go.
    slots: Vec<Slot>,
    /// The network between the nodes.
    pub network: Network,
    disks: BTreeMap<usize, Disk>,
    folder: Folder,
    setup: Setup,
    clock: Clock,
}

/// A node: its process, if one lives, and how many lives it has begun.
#[derive(Debug, Default)]
struct Slot {
    process: Option<Process>,
    life: u32,
}

impl Setup {
    /// A cluster of so many nodes, whose state is on three of them, in memory.
    pub fn new(program: impl Into<PathBuf>, founders: usize) -> Self {
        let (ask_timeout, remove_after) = (Duration::from_secs(5), Duration::from_secs(20));
        let (program, arguments) = (program.into(), Vec::new());
        Self { program, arguments, founders, replicas: 3, ask_timeout, remove_after, durable: false, unsynced: false }
    }
}

impl Processes {
    /// Starts all founders in a network, and waits until they are ready.
    pub async fn start(network: Network, setup: Setup) -> Result<Self, HarnessError> {
        let mut processes = Self::empty(network, setup)?;
        for node in 0..processes.setup.founders {
            processes.begin(node)?;
        }
        processes.all_ready(LIMIT).await?;
        Ok(processes)
    }

    /// No processes yet.
    pub fn empty(network: Network, setup: Setup) -> Result<Self, HarnessError> {
        sweep();
        let folder = Folder::create(network.run())?;
        Ok(Self { slots: Vec::new(), network, disks: BTreeMap::new(), folder, setup, clock: Clock::start() })
    }

    /// Starts a node that does not run, and does not wait for it. A node that ran before begins a new life.
    pub fn begin(&mut self, node: usize) -> Result<(), HarnessError> {
        self.slots.resize_with(self.slots.len().max(node + 1), Slot::default);
        let life = self.slots[node].life + 1;
        let mut command = self.network.command(node, &self.setup.program);
        command.args(&self.setup.arguments);
        command.args(["--id", &name(node), "--address", &self.network.address(node)]);
        for seed in (0..self.setup.founders).filter(|seed| *seed != node) {
            command.args(["--seed", &self.network.address(seed)]);
        }
        let numbers = [
            ("--nodes", self.setup.founders as u64),
            ("--replicas", self.setup.replicas as u64),
            ("--ask-timeout-ms", self.setup.ask_timeout.as_millis() as u64),
            ("--remove-after-ms", self.setup.remove_after.as_millis() as u64),
            ("--origin-us", self.clock.origin_us()),
            ("--life", u64::from(life)),
            ("--number", node as u64),
        ];
        for (option, number) in numbers {
            command.arg(option).arg(number.to_string());
        }
        if self.setup.durable {
            command.arg("--data-dir").arg(self.data_dir(node));
        }
        if self.setup.unsynced {
            command.arg("--unsynced");
        }
        command.arg("--history").arg(self.folder.path().join(format!("{}.{life}.{HISTORY}", name(node))));
        let process = Process::start(name(node), command, self.log_path(node, life))?;
        self.slots[node] = Slot { process: Some(process), life };
        Ok(())
    }

    /// Has nodes run another program from their next start on.
    pub fn use_program(&mut self, program: impl Into<PathBuf>) {
        self.setup.program = program.into();
    }

    /// Starts a node that does not run, and waits until it is ready.
    pub async fn restart(&mut self, node: usize) -> Result<(), HarnessError> {
        self.begin(node)?;
        self.process(node)?.ready(LIMIT).await
    }

    /// Kills all processes at once, and waits until they are gone.
    pub async fn kill_all(&mut self) -> Result<(), HarnessError> {
        let all: Vec<Process> = self.slots.iter_mut().filter_map(|slot| slot.process.take()).collect();
        try_join_all(all.into_iter().map(Process::kill)).await.map(drop)
    }

    /// Kills the process of a node, and waits until it is gone.
    pub async fn kill(&mut self, node: usize) -> Result<(), HarnessError> {
        self.take(node)?.kill().await
    }

    /// Has a node shut down in order, and waits until its process is gone.
    pub async fn stop(&mut self, node: usize) -> Result<(), HarnessError> {
        self.take(node)?.stop(LIMIT).await
    }

    /// Has a node leave the cluster and end, and waits until its process is gone.
    pub async fn leave(&mut self, node: usize) -> Result<(), HarnessError> {
        self.take(node)?.leave(LIMIT).await
    }

    /// Takes the process of a node out, to do with it as one likes.
    pub fn take(&mut self, node: usize) -> Result<Process, HarnessError> {
        let process = self.slots.get_mut(node).and_then(|slot| slot.process.take());
        process.ok_or_else(|| HarnessError::NotRunning { node: name(node) })
    }

    /// The process of a node.
    pub fn process(&self, node: usize) -> Result<&Process, HarnessError> {
        let process = self.slots.get(node).and_then(|slot| slot.process.as_ref());
        process.ok_or_else(|| HarnessError::NotRunning { node: name(node) })
    }

    /// The numbers of the nodes that run.
    pub fn running(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|node| self.slots[*node].process.is_some()).collect()
    }

    /// Waits until all that run are ready.
    pub async fn all_ready(&self, limit: Duration) -> Result<(), HarnessError> {
        let all = self.slots.iter().filter_map(|slot| slot.process.as_ref());
        try_join_all(all.map(|process| process.ready(limit))).await.map(drop)
    }

    /// An error if a process has ended that nobody ended: a failover would hide it.
    pub fn all_live(&self) -> Result<(), HarnessError> {
        self.slots.iter().filter_map(|slot| slot.process.as_ref()).try_for_each(Process::lives)
    }

    /// Has a node do something.
    pub async fn tell(&self, node: usize, order: Order) -> Result<Answer, HarnessError> {
        self.tell_within(node, order, LIMIT).await
    }

    /// Has a node do something within this time.
    pub async fn tell_within(&self, node: usize, order: Order, limit: Duration) -> Result<Answer, HarnessError> {
        self.process(node)?.tell(order, limit).await
    }

    /// How a node sees the cluster.
    pub async fn status(&self, node: usize) -> Result<Status, HarnessError> {
        match self.tell(node, Order::Status).await? {
            Answer::Status(status) => Ok(status),
            other => Err(HarnessError::Refused { node: name(node), why: format!("it answered {other:?}") }),
        }
    }

    /// Where a node listens.
    pub fn address(&self, node: usize) -> Result<SocketAddr, HarnessError> {
        let address = self.network.address(node);
        let wrong = |error| HarnessError::Refused { node: name(node), why: format!("its address {address}: {error}") };
        address.parse().map_err(wrong)
    }

    /// Where a node keeps its state, if it does.
    pub fn data_dir(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("{}.disk", name(node)))
    }

    /// Mounts a disk of so many bytes for a node, before it starts: it keeps its state there, if it does.
    pub fn mount(&mut self, node: usize, bytes: u64) -> Result<&Disk, HarnessError> {
        let disk = Disk::mount(self.data_dir(node), bytes)?;
        self.disks.insert(node, disk);
        self.disk(node)
    }

    /// The disk of a node that has one of its own.
    pub fn disk(&self, node: usize) -> Result<&Disk, HarnessError> {
        let none = || HarnessError::Refused { node: name(node), why: "no disk is mounted for it".to_owned() };
        self.disks.get(&node).ok_or_else(none)
    }

    /// The folder of the run. It goes with this.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the clients of all lives of all nodes have written down so far: a file for each life.
    pub fn histories(&self) -> Result<Vec<PathBuf>, HarnessError> {
        let failed = |source| HarnessError::File { action: "read", path: self.folder.path().to_owned(), source };
        let entries = fs::read_dir(self.folder.path()).map_err(failed)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
        let histories = paths.map_err(failed)?.into_iter();
        Ok(histories.filter(|path| path.extension().is_some_and(|extension| extension == HISTORY)).collect())
    }

    /// Kills all that run, and waits until they are gone.
    pub async fn end(mut self) -> Result<(), HarnessError> {
        for node in self.running() {
            self.kill(node).await?;
        }
        Ok(())
    }

    /// The clock of the run.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    fn log_path(&self, node: usize, life: u32) -> PathBuf {
        self.folder.path().join(format!("{}.{life}.log", name(node)))
    }

    /// Shows the end of every log.
    #[expect(clippy::print_stderr, reason = "it is what a person needs to see who has a failing test")]
    fn show_logs(&self) {
        for (node, slot) in self.slots.iter().enumerate() {
            for life in 1..=slot.life {
                eprintln!("{} in its life {life}:\n{}", name(node), end_of(&self.log_path(node, life)));
            }
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
    }
}

/// The name of a node.
pub(super) fn name(node: usize) -> String {
    format!("node-{}", node + 1)
}
