//! A machine, and the lives of the node that runs on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use super::clock::STEP;
use super::disk::Disk;
use super::net::{HostNet, Network};
use crate::actor::ActorSystem;
use crate::base::stable_hash_parts;
use crate::client::{Client, ClientConfig, ConnectError};
use crate::node::{ClusterConfig, Node};
use crate::storage::{Identity, SimulatedDisk, StoreError};

/// Whose the stores are.
const CLUSTER: &str = "simulated";

/// How the nodes of a run are set up: the same for all.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) config: ClusterConfig,
    /// What clients that run on this machine are told.
    pub(super) client: ClientConfig,
    pub(super) network: Arc<Network>,
    pub(super) seed: u64,
    /// Nodes keep what they know on disks.
    pub(super) durable: bool,
}

/// A machine with one node after the other.
pub(super) struct Host {
    pub(super) number: usize,
    setup: Setup,
    lives: u64,
    /// What the next process finds.
    disk: SimulatedDisk,
    /// The clock of the machine is ahead of the simulation's by this.
    clock_ahead: Duration,
    life: Option<Life>,
}

/// One process.
pub(super) struct Life {
    runtime: Runtime,
    pub(super) process: Arc<Process>,
    pub(super) disk: Disk,
    /// Until when it has run, by its own clock.
    until: Instant,
    halted: Option<Halt>,
}

#[derive(Clone, Copy)]
struct Halt {
    clock_stands: bool,
    steps: u32,
}

/// What a process shows to the simulation.
pub(super) struct Process {
    /// What clients that run beside the node are told.
    client: ClientConfig,
    node: Mutex<Option<Arc<Node>>>,
    /// Steps that it has run.
    steps: AtomicU64,
    ready: AtomicBool,
    /// It has asked to leave, and was not refused.
    leaving: AtomicBool,
    /// It will not be ready any more, or did not start: why.
    ended: Mutex<Option<String>>,
}

impl Process {
    fn new(client: ClientConfig) -> Self {
        Self {
            client,
            node: Mutex::default(),
            steps: AtomicU64::default(),
            ready: AtomicBool::default(),
            leaving: AtomicBool::default(),
            ended: Mutex::default(),
        }
    }

    /// A client of the cluster that runs beside the node, as client number `number` of the process.
    pub(super) async fn connect(&self, number: u64) -> Result<Client, ConnectError> {
        let seed = stable_hash_parts(&[b"client", &number.to_le_bytes()]);
        Client::connect(self.client.clone().replayable(seed)).await
    }

    /// The node, once it has started.
    pub(super) fn node(&self) -> Option<Arc<Node>> {
        self.node.lock().clone()
    }

    /// Whether the node has asked to leave.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Whether the node was ready at some time of its life, and is not about to leave.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// For how long it has run, in simulated time: while it stands still it does not run.
    pub(super) fn ran(&self) -> Duration {
        STEP * self.steps.load(Ordering::Relaxed) as u32
    }

    fn ended(&self) -> Option<String> {
        self.ended.lock().clone()
    }

    async fn leave(self: Arc<Self>) {
        let Some(node) = self.node() else { return };
        // From here on it does not answer for long: what begins now begins on another node, or in its next life.
        let was_ready = self.ready.swap(false, Ordering::Relaxed);
        self.leaving.store(true, Ordering::Relaxed);
        match node.leave().await {
            Ok(_) => self.end("it has left the cluster".to_owned()),
            Err(error) => {
                tracing::warn!(%error, "a node cannot leave");
                self.ready.store(was_ready, Ordering::Relaxed);
                self.leaving.store(false, Ordering::Relaxed);
            }
        }
    }

    fn end(&self, why: String) {
        self.ended.lock().get_or_insert(why);
    }

    /// The whole life of a node, as its `main` would be.
    async fn run(self: Arc<Self>, config: ClusterConfig) {
        let why = match ActorSystem::cluster(config).await {
            Err(error) => error.to_string(),
            Ok(node) => {
                let node = Arc::new(node);
                *self.node.lock() = Some(node.clone());
                match node.ready().await {
                    Err(error) => error.to_string(),
                    Ok(()) => {
                        self.ready.store(true, Ordering::Relaxed);
                        // A node that was ready may have to end all the same, when it is replaced.
                        node.ended().await.to_string()
                    }
                }
            }
        };
        self.end(why);
    }
}

impl Host {
    /// A machine on which nothing runs.
    pub(super) fn new(number: usize, setup: Setup) -> Self {
        let disk = SimulatedDisk::default();
        Self { number, setup, lives: 0, disk, clock_ahead: Duration::ZERO, life: None }
    }

    /// Starts a node. `Err`: there is no runtime for it.
    pub(super) fn boot(&mut self, now: Duration) -> std::io::Result<()> {
        self.setup.network.power_on(self.number);
        self.lives += 1;
        let seed = stable_hash_parts(&[
            &self.setup.seed.to_le_bytes(),
            &(self.number as u64).to_le_bytes(),
            &self.lives.to_le_bytes(),
        ]);
        let runtime = runtime(seed)?;
        let name = format!("node-{}", self.number);
        let disk = self.open_disk(&runtime, &name).map_err(std::io::Error::other)?;
        let address = HostNet::address(self.number);
        // The clock of the machine, and never twice the same.
        let incarnation = (now + self.clock_ahead).as_micros() as u64 + self.lives;
        let net = Arc::new(HostNet::new(self.setup.network.clone(), self.number));
        let config = self.setup.config.clone();
        let config = config
            .listen(address)
            .node_id(name)
            .incarnation(incarnation)
            .rng_seed(seed)
            .replayable()
            .net(net.clone())
            .stores(disk.stores());
        let process = Arc::new(Process::new(self.setup.client.clone().net(net)));
        runtime.spawn(process.clone().run(config));
        let until = runtime.block_on(async { Instant::now() });
        self.life = Some(Life { runtime, process, disk, until, halted: None });
        Ok(())
    }

    fn open_disk(&self, runtime: &Runtime, name: &str) -> Result<Disk, StoreError> {
        if !self.setup.durable {
            return Ok(Disk::Forgetful(Arc::default()));
        }
        let _inside = runtime.enter();
        let identity = Identity { node: name.into(), cluster: CLUSTER.to_owned() };
        Ok(Disk::Lasting(Arc::new(self.disk.open(&identity)?), self.disk.clone()))
    }

    /// Ends the node where it stands. Without power, nobody is told.
    pub(super) fn crash(&mut self, power: bool) {
        match power {
            true => self.setup.network.power_off(self.number),
            false => self.setup.network.end_process(self.number),
        }
        let Some(life) = self.life.take() else { return };
        if let Disk::Lasting(_, disk) = &life.disk {
            let seed = stable_hash_parts(&[&self.setup.seed.to_le_bytes(), &self.lives.to_le_bytes()]);
            // From here on the process cannot write, whatever its end does.
            self.disk = if power || disk.has_failed() { disk.after_power_loss(seed) } else { disk.after_kill() };
        }
        // The node goes with the tasks that hold it, on the runtime that it ran on.
        life.process.node.lock().take();
        drop(life.runtime);
    }

    /// The disk takes no write any more. The node has to end by itself, and begins again with another one.
    pub(super) fn fail_disk(&self) {
        if let Some(life) = &self.life {
            life.disk.fail();
        }
    }

    /// The node leaves the cluster, and its process ends when it has.
    pub(super) fn leave(&self) {
        if let Some(life) = &self.life {
            life.spawn(life.process.clone().leave());
        }
    }

    /// The node, while its process runs.
    pub(super) fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// How many nodes this machine has started.
    pub(super) fn lives(&self) -> u64 {
        self.lives
    }

    /// The process stands still until [`resume`](Self::resume).
    pub(super) fn halt(&mut self, clock_stands: bool) {
        if let Some(life) = &mut self.life {
            life.halted.get_or_insert(Halt { clock_stands, steps: 0 });
        }
    }

    /// The process goes on.
    pub(super) fn resume(&mut self) {
        let Some(life) = &mut self.life else { return };
        if let Some(Halt { clock_stands: false, steps }) = life.halted.take() {
            life.advance(STEP * steps);
        }
    }

    /// The clocks of the machine jump ahead.
    pub(super) fn jump(&mut self, by: Duration) {
        self.clock_ahead += by;
        if let Some(life) = self.life.as_mut().filter(|life| life.halted.is_none()) {
            life.advance(by);
        }
    }

    /// Lets the node run for one step.
    pub(super) fn step(&mut self) {
        let Some(life) = &mut self.life else { return };
        match &mut life.halted {
            Some(halt) => halt.steps += 1,
            None => life.step(),
        }
    }

    /// Why the node has ended by itself, if it has: an operator would start another.
    pub(super) fn ended(&self) -> Option<String> {
        self.life.as_ref()?.process.ended()
    }
}

impl Life {
    /// Runs a task on the node's runtime.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Whether the process stands still.
    pub(super) fn is_halted(&self) -> bool {
        self.halted.is_some()
    }

    fn step(&mut self) {
        self.process.steps.fetch_add(1, Ordering::Relaxed);
        self.until += STEP;
        let until = self.until;
        self.runtime.block_on(async { tokio::time::sleep_until(until).await });
    }

    /// The clock of the process jumps: timers that would have ended in between end late, all at once.
    fn advance(&mut self, by: Duration) {
        self.until += by;
        self.runtime.block_on(async { tokio::time::advance(by).await });
    }
}

fn runtime(seed: u64) -> std::io::Result<Runtime> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
    #[cfg(not(tokio_unstable))]
    let _ = seed;
    builder.build()
}
