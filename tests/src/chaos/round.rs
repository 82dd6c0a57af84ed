//! One cluster, from its founding to the judgement of what its clients saw.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use casty::testkit::invariants::judge;
use casty::testkit::workload::{Notes, Recording};
use futures_util::future::try_join_all;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::damage::Damage;
use super::evidence::{gather, keep};
use super::fault::Fault;
use super::options::Wires;
use super::report::RoundReport;
use super::sight::look;
use super::windows::Windows;
use crate::processes::node::{Answer, Order};
use crate::processes::{HarnessError, Network, Processes, Quality, Setup, skipped, unavailable};

/// Once the faults have ended, a cluster must serve again within this time.
const RECOVERY_LIMIT: Duration = Duration::from_secs(10);

/// How long the clients go on at most once the cluster is whole, so that each object is written once more.
const REWRITE_LIMIT: Duration = Duration::from_secs(10);

/// How often it is looked whether each was: all histories are read for it.
const REREAD_PERIOD: Duration = Duration::from_millis(250);

/// Once the faults have ended, every group must have all its replicas again within this time.
const WHOLE_LIMIT: Duration = Duration::from_secs(20);

/// How often it is looked whether that is so.
const LOOK_PERIOD: Duration = Duration::from_millis(50);

/// How long a node may take to leave. It gives up by itself before.
const LEAVE_LIMIT: Duration = Duration::from_secs(65);

/// A node that is away is given up only after the round: one that stands still or is cut off comes back as what it was.
const REMOVE_AFTER: Duration = Duration::from_secs(600);

/// How long nothing else is broken after a node was killed, so that the failover can be seen.
const FAILOVER: Duration = Duration::from_secs(2);

/// An ask may end this much later than it promised, on a machine whose cores are busy with whole clusters.
const LATE_MAX: Duration = Duration::from_millis(500);

/// The most replicas of a group.
const REPLICAS_MAX: usize = 5;

/// What a round does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where its random choices begin.
    pub seed: u64,
    /// How many clients run on each node.
    pub clients: u64,
    /// How long things are broken.
    pub faults_for: Duration,
    /// Where the logs and histories are kept if something does not hold or is not proven.
    pub evidence: Option<PathBuf>,
}

/// Founds a cluster, breaks it for a while under load, mends it, and judges what the clients saw.
pub async fn round(wires: Wires, mut setup: Setup, plan: Plan) -> Result<RoundReport, HarnessError> {
    // As many replicas as there can be, so that as many nodes as possible may be lost.
    setup.replicas = (setup.founders - 1 + setup.founders % 2).min(REPLICAS_MAX);
    setup.remove_after = REMOVE_AFTER;
    let network = network(wires, setup.founders)?;
    let mut report = RoundReport { seed: plan.seed, wires: words(&network).to_owned(), ..RoundReport::default() };
    let mut round = Round::begin(network, setup, plan).await?;
    let notes = match round.run().await {
        Ok(notes) => notes,
        // The nodes are to blame, and what the clients saw is judged all the same.
        Err(fault @ (HarnessError::Ended { .. } | HarnessError::Late { .. } | HarnessError::Refused { .. })) => {
            report.violations.push(format!(
                "nodes do what they are told, and serve again within {RECOVERY_LIMIT:?} after faults: {fault}"
            ));
            Notes::default()
        }
        Err(error) => return Err(error),
    };
    let mut recording = gather(round.processes.histories()?)?;
    recording.notes = notes;
    round.write(&mut report, recording);
    if let Some(evidence) = round.plan.evidence.as_ref().filter(|_| !report.is_good()) {
        keep(round.processes.folder(), &evidence.join(format!("round-{}", report.seed)))?;
    }
    round.processes.end().await?;
    Ok(report)
}

struct Round {
    processes: Processes,
    damage: Damage,
    plan: Plan,
    /// The nodes in whose present life clients run.
    loaded: BTreeSet<usize>,
    /// The nodes that are about to leave.
    leaving: JoinSet<(usize, Result<(), HarnessError>)>,
    leaves: usize,
    replaced: usize,
    /// What was done, in words.
    done: Vec<String>,
    /// When a node of a whole cluster was killed while nothing else was broken, and until when nothing else was.
    kills: Vec<(Duration, Duration)>,
    /// When the faults began and ended.
    faults: (Duration, Duration),
    /// How long after them every group had all its replicas.
    whole: Option<Duration>,
}

impl Round {
    async fn begin(network: Network, setup: Setup, plan: Plan) -> Result<Self, HarnessError> {
        let damage = Damage::none(setup.founders, setup.replicas, network.can_part(), network.can_delay(), plan.seed);
        let damage = if setup.durable { damage.of_durable_nodes() } else { damage };
        let processes = Processes::start(network, setup).await?;
        Ok(Self {
            processes,
            damage,
            plan,
            loaded: BTreeSet::new(),
            leaving: JoinSet::new(),
            leaves: 0,
            replaced: 0,
            done: Vec::new(),
            kills: Vec::new(),
            faults: Default::default(),
            whole: None,
        })
    }

    async fn run(&mut self) -> Result<Notes, HarnessError> {
        self.load().await?;
        self.break_things().await?;
        self.recover().await?;
        self.become_whole().await?;
        self.write_all().await?;
        self.finish().await
    }

    /// Breaks and mends this and that until the time is over, and mends all then.
    async fn break_things(&mut self) -> Result<(), HarnessError> {
        let end = Instant::now() + self.plan.faults_for;
        self.faults.0 = self.processes.clock().now();
        let mut undisturbed = Duration::ZERO;
        loop {
            let next = Instant::now() + self.damage.pause() + undisturbed;
            sleep_until(next.min(end)).await;
            self.processes.all_live()?;
            while let Some(left) = self.leaving.try_join_next() {
                self.has_left(left)?;
            }
            self.replaced += look(&self.processes, &mut self.damage).await?;
            if next >= end {
                break;
            }
            let well = self.damage.is_calm() && self.damage.is_whole() && self.damage.all_run();
            let fault = self.damage.next();
            let fails_over = well && matches!(fault, Fault::Kill(_));
            self.apply(&fault).await?;
            undisturbed = if fails_over { FAILOVER } else { Duration::ZERO };
            if fails_over {
                let now = self.processes.clock().now();
                self.kills.push((now, Duration::MAX));
            }
            self.load().await?;
        }
        for repair in self.damage.repair() {
            self.apply(&repair).await?;
        }
        while let Some(left) = self.leaving.join_next().await {
            self.has_left(left)?;
        }
        for restart in self.damage.restart() {
            self.apply(&restart).await?;
        }
        self.faults.1 = self.processes.clock().now();
        Ok(())
    }

    /// Waits until all nodes are ready and each of them reads every object.
    async fn recover(&mut self) -> Result<(), HarnessError> {
        let deadline = Instant::now() + RECOVERY_LIMIT;
        let left = || deadline.saturating_duration_since(Instant::now());
        self.processes.all_ready(left()).await?;
        self.load().await?;
        loop {
            let nodes = self.processes.running();
            let looks = nodes.iter().map(|node| self.processes.tell_within(*node, Order::LastLook, left()));
            if try_join_all(looks).await?.iter().all(|answer| *answer == Answer::Silent(Vec::new())) {
                return Ok(());
            }
        }
    }

    /// Waits until every group has all its replicas again, or for so long that they should.
    async fn become_whole(&mut self) -> Result<(), HarnessError> {
        let mut looks = interval(LOOK_PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            self.replaced += look(&self.processes, &mut self.damage).await?;
            let past = self.processes.clock().now().saturating_sub(self.faults.1);
            if self.damage.is_whole() {
                self.whole = Some(past);
            }
            if self.damage.is_whole() || past > WHOLE_LIMIT {
                return Ok(());
            }
        }
    }

    /// Waits until every object has answered a write again, or for so long that it should have.
    async fn write_all(&self) -> Result<(), HarnessError> {
        let deadline = Instant::now() + REWRITE_LIMIT;
        let mut looks = interval(REREAD_PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < deadline {
            looks.tick().await;
            let so_far = Windows::of(&gather(self.processes.histories()?)?);
            if so_far.all_written_after(self.faults.1).is_ok() {
                break;
            }
        }
        Ok(())
    }

    /// What came of it that a node was told to leave.
    fn has_left(&mut self, left: Result<(usize, Result<(), HarnessError>), JoinError>) -> Result<(), HarnessError> {
        let (node, left) = left.expect("whoever waits for a node does not panic");
        left?;
        self.damage.has_left(node);
        Ok(())
    }

    /// Has all clients finish, and reads every object once more. Gives what the clients noted.
    async fn finish(&mut self) -> Result<Notes, HarnessError> {
        let nodes = self.processes.running();
        let finished = try_join_all(nodes.iter().map(|node| self.processes.tell(*node, Order::Finish))).await?;
        let mut all = Notes::default();
        for answer in finished {
            if let Answer::Finished(notes) = answer {
                all.strange_replies.extend(notes.strange_replies);
                all.late.extend(notes.late);
            }
        }
        self.processes.tell(nodes[0], Order::LastLook).await?;
        Ok(all)
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), HarnessError> {
        let now = self.processes.clock().now();
        self.done.push(format!("{:7.3} s  {fault}", now.as_secs_f64()));
        if let Some((_, until)) = self.kills.last_mut() {
            *until = now.min(*until);
        }
        let processes = &mut self.processes;
        match fault {
            Fault::Kill(node) => {
                self.loaded.remove(node);
                processes.kill(*node).await
            }
            Fault::KillAll => {
                self.loaded.clear();
                processes.kill_all().await
            }
            Fault::Restart(node) => processes.begin(*node),
            Fault::Leave(node) => {
                self.loaded.remove(node);
                self.leaves += 1;
                let (node, process) = (*node, processes.take(*node)?);
                self.leaving.spawn(async move { (node, process.leave(LEAVE_LIMIT).await) });
                Ok(())
            }
            Fault::Pause(node) => processes.process(*node)?.pause(),
            Fault::Resume(node) => processes.process(*node)?.resume(),
            Fault::Part(partition, _) => processes.network.set(partition),
            Fault::Heal => processes.network.heal(),
            Fault::Slow(quality) => processes.network.quality(*quality),
            Fault::Quicken => processes.network.quality(Quality::default()),
        }
    }

    /// Starts clients in every life that has become ready since.
    async fn load(&mut self) -> Result<(), HarnessError> {
        for node in self.processes.running() {
            let idle = self.damage.is_up(node) && !self.loaded.contains(&node);
            if idle && self.processes.process(node)?.is_ready() {
                self.processes.tell(node, Order::Begin { clients: self.plan.clients }).await?;
                self.loaded.insert(node);
            }
        }
        Ok(())
    }

    fn write(&mut self, report: &mut RoundReport, mut recording: Recording) {
        let (late, too_late) =
            std::mem::take(&mut recording.notes.late).into_iter().partition(|(_, had, took)| *took < *had + LATE_MAX);
        recording.notes.late = too_late;
        let late: Vec<_> = late;
        report.late_asks = late.len();
        report.latest_ask_ms = late.iter().map(|(_, had, took)| ms(took.saturating_sub(*had))).max().unwrap_or(0);

        let judgement = judge(&recording);
        (report.operations, report.unknown) = (judgement.operations, judgement.unknown);
        report.violations.extend(judgement.violations);
        report.unproven = judgement.unproven;
        report.faults = std::mem::take(&mut self.done);
        (report.leaves, report.replaced) = (self.leaves, self.replaced);
        report.whole_ms = self.whole.map(ms);
        if self.whole.is_none() {
            report
                .violations
                .push(format!("not within {WHOLE_LIMIT:?} after the faults had every group all its replicas"));
        }

        let windows = Windows::of(&recording);
        let (from, to) = self.faults;
        let silences = windows.longest_silences(from, to);
        report.unavailable_ms = silences.into_iter().map(|(object, silence)| (object, ms(silence))).collect();
        let failover = |(kill, until): &(Duration, Duration)| {
            let took = windows.all_written_after(*kill).ok()?;
            (took <= until.saturating_sub(*kill)).then(|| ms(took))
        };
        report.longest_failover_ms = self.kills.iter().filter_map(failover).max();
        match windows.all_written_after(to) {
            Ok(took) if took <= RECOVERY_LIMIT => report.recovery_ms = Some(ms(took)),
            Ok(took) => report.violations.push(format!("writes were answered again only {took:?} after the faults")),
            Err(object) => report.violations.push(format!("{object} answered no write after the faults")),
        }
    }
}

/// The network of a round: the one that was asked for, or loopback where namespaces cannot be made.
fn network(wires: Wires, nodes: usize) -> Result<Network, HarnessError> {
    match (wires, unavailable()) {
        (Wires::Loopback, _) => Ok(Network::loopback()),
        (_, Some(why)) => {
            skipped("partitions", &why);
            Ok(Network::loopback())
        }
        (Wires::Bridge, None) => Network::bridged(nodes),
        (Wires::Switch, None) => Network::switched(nodes),
    }
}

fn words(network: &Network) -> &'static str {
    match (network.can_part(), network.can_delay()) {
        (_, true) => "a switch",
        (true, false) => "a bridge",
        (false, false) => "loopback",
    }
}

fn ms(time: Duration) -> u64 {
    time.as_millis() as u64
}
