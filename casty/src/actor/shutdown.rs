//! How the actors of a system end together.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::ActorSystem;
use super::cell::AnyCell;
use super::directory::{Admission, Directory};
use super::system::Shared;

/// How long the actors of a phase may take to handle what is queued, unless the system says otherwise.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// How long actors whose time is over get to end after the message in hand, and then where they wait.
const GRACE: Duration = Duration::from_secs(1);

/// How often a shutdown looks for actors that came after it last looked.
const LOOK: Duration = Duration::from_millis(100);

/// How a system ends: phase by phase, each within its time.
///
/// Actors end in the order of their [phases](super::Spawn::shutdown_phase), the lowest first. Those of one phase drain: they
/// handle what is queued, then their children drain, then `on_stop` runs, children first. An actor that has not ended within
/// the limit is stopped after the message in hand, and what it has queued goes to dead letters; one that does not end even
/// then is dropped where it waits, without `on_stop`. Then the next phase begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "give it to `SystemBuilder::shutdown` or `ActorSystem::shutdown_with`"]
pub struct Shutdown {
    reject: bool,
    drain: Duration,
    drain_of: BTreeMap<u8, Duration>,
    stop: Duration,
    abort: Duration,
}

impl Shutdown {
    /// Drains every phase for 10 seconds at most, and gives late actors a second to stop, and another to be dropped.
    pub const fn new() -> Self {
        Self { reject: false, drain: DRAIN_LIMIT, drain_of: BTreeMap::new(), stop: GRACE, abort: GRACE }
    }

    /// Handles nothing more than the messages in hand: what is queued goes to dead letters, and its askers are told. The
    /// limits on draining then have no effect.
    pub const fn reject(mut self) -> Self {
        self.reject = true;
        self
    }

    /// How long the actors of a phase may take to handle what is queued.
    pub const fn drain_within(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// How long those of this phase may take, in place of [`drain_within`](Self::drain_within).
    pub fn drain_phase_within(mut self, phase: u8, limit: Duration) -> Self {
        self.drain_of.insert(phase, limit);
        self
    }

    /// How long actors may then take to end after the message in hand, `on_stop` included.
    pub const fn stop_within(mut self, limit: Duration) -> Self {
        self.stop = limit;
        self
    }

    /// How long to wait for actors that were dropped where they wait. Those that block their thread end only when it goes on.
    pub const fn abort_within(mut self, limit: Duration) -> Self {
        self.abort = limit;
        self
    }

    /// Ends the actors of the system.
    pub(super) async fn run(&self, shared: &Shared) -> ShutdownReport {
        let directory = shared.directory();
        let before = shared.env().dead_letters().total();
        directory.admit(Admission::Children);
        let (mut next, mut report) = (Some(0), ShutdownReport::default());
        while let Some(phase) = next.and_then(|from| next_phase(directory, from)) {
            self.end_phase(phase, shared, &mut report).await;
            next = phase.checked_add(1);
        }
        directory.admit(Admission::Nobody);
        report.dead_letters = shared.env().dead_letters().total() - before;
        report
    }

    async fn end_phase(&self, phase: u8, shared: &Shared, report: &mut ShutdownReport) {
        let (directory, system) = (shared.directory(), shared.env().system());
        if !self.reject {
            let limit = self.drain_of.get(&phase).copied().unwrap_or(self.drain);
            of_phase(directory, phase).iter().filter(|cell| !cell.is_child()).for_each(|cell| cell.drain());
            let Some((actors, first)) = left(directory, phase, limit, |_| ()).await else { return };
            report.late += actors;
            tracing::warn!(system, phase, actors, first, after = ?limit, "actors did not end in time; they are stopped");
        }
        let Some((actors, first)) = left(directory, phase, self.stop, |cell| cell.stop()).await else { return };
        report.aborted += actors;
        tracing::warn!(system, phase, actors, first, after = ?self.stop, "actors did not stop; they are dropped where they wait");
        let Some((actors, first)) = left(directory, phase, self.abort, |cell| cell.abort()).await else { return };
        report.stuck += actors;
        tracing::error!(system, phase, actors, first, "handlers block their threads; they are left to themselves");
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of the actors of a system that was shut down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many messages went to dead letters meanwhile, those included that were sent to actors that had ended.
    pub dead_letters: u64,
    /// How many actors did not drain in time.
    pub late: usize,
    /// How many did not stop in time either, and were dropped where they waited, without `on_stop`.
    pub aborted: usize,
    /// How many block their threads, and were left to themselves.
    pub stuck: usize,
}

impl ShutdownReport {
    /// Whether every actor ended by itself and in time, and no message went to dead letters. Futures that an actor piped to
    /// itself end with it, and are not counted.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

impl ActorSystem {
    /// Waits for Ctrl-C, or for the signal by which a service is told to end (SIGTERM), and shuts the system down. A second
    /// signal has everything dropped at once that has not ended by then; the report is of that second part alone.
    ///
    /// From its call on, these signals do not end the process any more: let `main` return after it. If the report counts
    /// actors that are stuck, a runtime waits for their threads when it is dropped; `std::process::exit` does not.
    ///
    /// ```no_run
    /// # use casty::prelude::*;
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), BoxError> {
    /// let system = ActorSystem::new("bank");
    /// // Spawn what the program is made of, then:
    /// let report = system.shutdown_on_ctrl_c().await?;
    /// println!("{report:?}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// An error means that the operating system refused to tell of signals; nothing was shut down.
    pub async fn shutdown_on_ctrl_c(&self) -> io::Result<ShutdownReport> {
        when_told_to_end(self.name(), self.shutdown(), |at_once| async move { self.shutdown_with(&at_once).await })
            .await
    }
}

/// Waits until the process is told to end, and ends `in_order`; told again, it ends in the way that `at_once` is given.
pub(crate) async fn when_told_to_end<F: Future<Output = ShutdownReport>>(
    system: &str,
    in_order: impl Future<Output = ShutdownReport>,
    at_once: impl FnOnce(Shutdown) -> F,
) -> io::Result<ShutdownReport> {
    let mut told = Told::listen()?;
    told.again().await;
    tracing::info!(system, "told to end; once more ends at once");
    tokio::select! {
        report = in_order => return Ok(report),
        () = told.again() => {}
    }
    Ok(at_once(Shutdown::new().reject().stop_within(Duration::ZERO)).await)
}

/// The operating system's requests to end.
struct Told {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
    #[cfg(windows)]
    terminate: tokio::signal::windows::CtrlShutdown,
}

impl Told {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(windows)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_shutdown};
        Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_shutdown()? })
    }

    async fn again(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The lowest phase from this one on in which actors live.
fn next_phase(directory: &Directory, from: u8) -> Option<u8> {
    directory.all().iter().map(|cell| cell.phase()).filter(|phase| *phase >= from).min()
}

fn of_phase(directory: &Directory, phase: u8) -> Vec<Arc<dyn AnyCell>> {
    directory.all().into_iter().filter(|cell| cell.phase() == phase).collect()
}

/// Does `each` to every actor of the phase, those included that are spawned meanwhile, and waits for their end. How many are
/// left after the limit, and one of them; `None` if none is.
async fn left(
    directory: &Directory,
    phase: u8,
    limit: Duration,
    each: impl Fn(&dyn AnyCell),
) -> Option<(usize, Option<String>)> {
    let ended = async {
        loop {
            let living = of_phase(directory, phase);
            if living.is_empty() {
                return;
            }
            living.iter().for_each(|cell| each(&**cell));
            let all = async {
                for cell in &living {
                    cell.sideband().ended().await;
                }
            };
            // Over or not: there may be others by then.
            let _ = timeout(LOOK, all).await;
        }
    };
    if timeout(limit, ended).await.is_ok() {
        return None;
    }
    let left = of_phase(directory, phase);
    Some((left.len(), left.first().map(|cell| cell.id().to_string())))
}
