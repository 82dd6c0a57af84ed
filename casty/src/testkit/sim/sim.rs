//! How a simulation is set up and run.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::clock::SimClock;
use super::failure::{Failure, Passed};
use super::fault::Faults;
use super::log::LogToTrace;
use super::scenario::Scenario;
use super::simulation::Simulation;
use super::trace::Trace;
use super::{client::Violation, panics};
use crate::actor::Failure as Panic;
use crate::base::ThreadRng;
use crate::raft::RaftSettings;

/// The variable that has [`Sim::run`] run one seed and no other.
const SEED_VARIABLE: &str = "CASTY_SIM_SEED";

/// A cluster to be simulated, and the faults that it meets. See the [module](super).
///
/// Where there are faults, the nodes of two of three seeds keep two entities or none in memory, so that they are made anew again
/// and again.
#[derive(Clone, Debug)]
pub struct Sim {
    pub(super) nodes: usize,
    pub(super) observers: usize,
    pub(super) replicas: usize,
    pub(super) groups_per_node: usize,
    pub(super) faults: Faults,
    pub(super) lasting: Duration,
    pub(super) ask_timeout: Duration,
    pub(super) raft: RaftSettings,
    pub(super) durable: bool,
    replay: Option<String>,
    log_also: Vec<String>,
}

impl Sim {
    /// A cluster of so many nodes that hold replicas, without faults.
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes,
            observers: 0,
            replicas: 3,
            groups_per_node: 1,
            faults: Faults::none(),
            lasting: Duration::from_secs(10),
            ask_timeout: Duration::from_secs(5),
            // Small enough that a run of some seconds compacts its logs, saves its state for the rows that have changed, and
            // sends snapshots of many chunks.
            raft: RaftSettings {
                snapshot_entries: 200,
                log_entries_kept: 50,
                checkpoint_bytes: 4 << 10,
                snapshot_chunk_bytes: 512,
                ..RaftSettings::default()
            },
            durable: false,
            replay: None,
            log_also: Vec::new(),
        }
    }

    /// So many nodes that hold replicas.
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// So many nodes more, without replicas.
    pub fn observers(mut self, observers: usize) -> Self {
        self.observers = observers;
        self
    }

    /// On how many nodes state is held: 1, 3 or 5. Default: 3.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// The nodes keep what they know on disks: a simulated one each, on which the store of production runs. Nodes that crash
    /// go on later, and whatever crashes, nothing that was answered is lost.
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Which faults happen.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// For how long clients run and faults happen. Default: 10 s.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.lasting = time;
        self
    }

    /// The deadline of an ask that names none. Default: 5 s.
    pub fn ask_timeout(mut self, time: Duration) -> Self {
        self.ask_timeout = time;
        self
    }

    /// The command that a failure names for doing the same again. In tests it is found by itself.
    pub fn replay_with(mut self, command: impl Into<String>) -> Self {
        self.replay = Some(command.into());
        self
    }

    /// Has log lines of other crates in the trace, whose targets begin like this: `openraft`, `my_app`.
    pub fn log_also(mut self, target: impl Into<String>) -> Self {
        self.log_also.push(target.into());
        self
    }

    /// Runs `scenario` once for each seed, on all cores.
    ///
    /// # Panics
    ///
    /// When something does not hold: with the seed, what happened before, and the command that does the same again. The
    /// variable `CASTY_SIM_SEED` has it run that one seed.
    #[expect(clippy::panic, reason = "it is an assertion, for tests")]
    pub fn run(&self, seeds: Range<u64>, scenario: impl Fn(&mut Scenario) + Send + Sync) {
        let only = std::env::var(SEED_VARIABLE).ok().and_then(|seed| seed.parse().ok());
        let seeds = only.map_or(seeds, |seed: u64| seed..seed.saturating_add(1));
        if let Err(failure) = self.find(seeds, scenario) {
            panic!("{failure}");
        }
    }

    /// Runs `scenario` for each seed, until one fails.
    pub fn find(&self, seeds: Range<u64>, scenario: impl Fn(&mut Scenario) + Send + Sync) -> Result<(), Box<Failure>> {
        let (next, found) = (AtomicU64::new(seeds.start), Mutex::new(None::<Box<Failure>>));
        let replay = self.replay.clone().unwrap_or_else(replay_of_this_test);
        let work = || {
            while found.lock().is_none() {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    break;
                }
                if let Err(failure) = self.run_seed(seed, &replay, &scenario) {
                    found.lock().get_or_insert(failure);
                }
            }
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            (0..cores).for_each(|_| drop(scope.spawn(work)));
        });
        found.into_inner().map_or(Ok(()), Err)
    }

    /// Runs `scenario` with one seed.
    pub fn run_one(&self, seed: u64, scenario: impl Fn(&mut Scenario) + Send + Sync) -> Result<Passed, Box<Failure>> {
        let replay = self.replay.clone().unwrap_or_else(replay_of_this_test);
        self.run_seed(seed, &replay, &scenario)
    }

    /// Each run has a thread of its own, so that nothing that threads keep passes from one to the next.
    fn run_seed(
        &self,
        seed: u64,
        replay: &str,
        scenario: &(impl Fn(&mut Scenario) + Send + Sync),
    ) -> Result<Passed, Box<Failure>> {
        let run = || {
            let clock = Arc::<SimClock>::default();
            let trace = Arc::new(Trace::new(clock.clone()));
            let result = self.simulate(seed, &clock, &trace, scenario);
            let (at, fingerprint, lines) = (clock.now(), trace.fingerprint(), trace.lines());
            match result {
                Ok(()) => Ok(Passed { seed, lasted: at, fingerprint, lines }),
                Err(Violation { invariant, explanation }) => {
                    let replay = replay.replace("{seed}", &seed.to_string());
                    Err(Box::new(Failure { seed, invariant, explanation, at, fingerprint, lines, replay }))
                }
            }
        };
        thread::scope(|scope| scope.spawn(run).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    fn simulate(
        &self,
        seed: u64,
        clock: &Arc<SimClock>,
        trace: &Arc<Trace>,
        scenario: &impl Fn(&mut Scenario),
    ) -> Result<(), Violation> {
        if cfg!(not(tokio_unstable)) {
            let explanation = "tokio's random choices cannot be seeded in this build: set `--cfg tokio_unstable` \
                 in `build.rustflags` of `.cargo/config.toml`";
            return Err(Violation { invariant: "a seed determines a run".into(), explanation: explanation.into() });
        }
        ThreadRng::seed(seed);
        let _panics = panics::watch(trace.clone());
        let log = LogToTrace { trace: trace.clone(), also: self.log_also.clone() };
        tracing::subscriber::with_default(log, || {
            let run = AssertUnwindSafe(|| {
                let mut parts = Scenario::new();
                scenario(&mut parts);
                Simulation::new(self, seed, trace.clone(), clock.clone(), parts).run(self)
            });
            catch_unwind(run).unwrap_or_else(|panic| {
                let explanation = Panic::from_panic(panic).reason;
                Err(Violation { invariant: "the simulation does not panic".to_owned(), explanation })
            })
        })?;
        panics::own().map_or(Ok(()), |explanation| {
            Err(Violation { invariant: "no part of casty panics".to_owned(), explanation })
        })
    }
}

/// The command that runs the present test with one seed.
fn replay_of_this_test() -> String {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let test = thread::current().name().unwrap_or_default().to_owned();
    format!("{SEED_VARIABLE}={{seed}} cargo test -p {package} {test}")
}
