//! One run: time goes on step by step, nodes run, faults come and go, invariants are checked.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::client::{Shared, Violation};
use super::clock::SimClock;
use super::cluster::Cluster;
use super::fault::Fault;
use super::faults_on::FaultsOn;
use super::host::{Host, Setup};
use super::net::{HostNet, Network};
use super::plan::Plan;
use super::scenario::{Check, Scenario, Verdict};
use super::sim::Sim;
use super::trace::Trace;
use crate::client::ClientConfig;
use crate::cluster::Tls;
use crate::node::{ClusterConfig, Replication};
use crate::raft::RaftSettings;

/// A cluster without faults must be ready within this time.
const START_MAX: Duration = Duration::from_secs(20);
/// After the faults have stopped, the cluster must be ready and all clients answered within this time.
const HEALING_MAX: Duration = Duration::from_secs(10);
/// The checks at the end must be done within this time.
const CHECKS_MAX: Duration = Duration::from_secs(30);
/// Machines start within this time of each other.
const BOOT_SPREAD_MS: u64 = 400;
/// In one of so many runs the faults begin with the first node.
const EARLY_FAULTS: u32 = 4;
/// A node that is away for so long is given up: shorter than some faults.
const REMOVE_AFTER: Duration = Duration::from_secs(3);
/// Whoever operates the cluster starts a node again that has ended by itself, after this time.
const OPERATOR_DELAY: Duration = Duration::from_millis(500);

/// How many entities a node has in memory: in some runs with faults so few that they are made anew again and again.
fn live_entities_max(sim: &Sim, seed: u64) -> usize {
    match seed % 3 {
        _ if sim.faults.kinds.is_empty() => usize::MAX,
        0 => 0,
        1 => 2,
        _ => usize::MAX,
    }
}

/// One run.
pub(super) struct Simulation {
    pub(super) clock: Arc<SimClock>,
    pub(super) trace: Arc<Trace>,
    shared: Arc<Shared>,
    network: Arc<Network>,
    hosts: Vec<Host>,
    /// When a machine is started next.
    boots: Vec<Option<Duration>>,
    /// The life of each machine whose clients were started.
    served: Vec<u64>,
    faults_on: FaultsOn,
    scenario: Scenario,
    /// What nodes know outlives their processes.
    durable: bool,
    rng: StdRng,
}

impl Simulation {
    pub(super) fn new(sim: &Sim, seed: u64, trace: Arc<Trace>, clock: Arc<SimClock>, scenario: Scenario) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let network = Network::new(clock.clone(), trace.clone(), rng.random());
        let shared = Shared::new(clock.clone(), trace.clone(), rng.random());
        let (nodes, all) = (sim.nodes, sim.nodes + sim.observers);
        let raft = RaftSettings { snapshot_threads: false, seed, ..sim.raft.clone() };
        let seeds: Vec<_> = (0..nodes.min(2)).map(HostNet::address).collect();
        let config = ClusterConfig::new(String::new()).tls(Tls::insecure()).expected_size(nodes);
        let config = config.replication(Replication::balanced().replicas(sim.replicas)).remove_after(REMOVE_AFTER);
        let config = config.consensus(raft, sim.groups_per_node).ask_timeout(sim.ask_timeout);
        let config = config.live_entities_max(live_entities_max(sim, seed));
        let client = ClientConfig::new(seeds.clone()).tls(Tls::insecure()).ask_timeout(sim.ask_timeout);
        let host = |number| {
            let mut config = if all > 1 { config.clone().seeds(seeds.clone()) } else { config.clone() };
            if number >= nodes {
                config = config.observer();
            }
            let (client, network, durable) = (client.clone(), network.clone(), sim.durable);
            Host::new(number, Setup { config, client, network, seed, durable })
        };
        let hosts: Vec<_> = (0..all).map(host).collect();
        let boots = hosts.iter().map(|_| Some(Duration::from_millis(rng.random_range(0..BOOT_SPREAD_MS)))).collect();
        let (served, faults_on) = (vec![0; all], FaultsOn::default());
        let durable = sim.durable;
        Self { clock, trace, shared, network, hosts, boots, served, faults_on, scenario, durable, rng }
    }

    /// Runs to the end, or to the first violation.
    pub(super) fn run(&mut self, sim: &Sim) -> Result<(), Violation> {
        if sim.nodes == 1 || !self.rng.random_ratio(1, EARLY_FAULTS) || sim.faults.kinds.is_empty() {
            self.run_until(START_MAX, "the cluster starts", Self::all_ready)?;
        }
        let (begin, nodes) = (self.clock.now(), self.hosts.len());
        let mut plan = Plan::new(sim.faults.clone(), nodes, sim.nodes, sim.replicas, begin, self.rng.random());
        self.note(format!("faults begin, for {:?}", sim.lasting));
        let mut founding = true;
        while self.clock.now() < begin + sim.lasting {
            let now = self.clock.now();
            founding = founding && !self.all_ready();
            if let Some((fault, lasts)) = plan.draw(now, founding)
                && (founding || self.can_take(&fault))
            {
                self.begin_fault(fault, now + lasts);
            }
            self.step()?;
        }
        self.heal();
        self.run_until(HEALING_MAX, "the cluster heals", |me| me.all_ready() && me.shared.running() == 0)?;
        self.check()
    }

    /// Whether the cluster can take a fault that loses a node: it promises to take the loss of a minority of each group. With
    /// disks a node that crashes is not lost.
    fn can_take(&self, fault: &Fault) -> bool {
        match fault {
            Fault::Crash { .. } if self.durable => true,
            Fault::Blackout | Fault::FailedDisk { .. } => self.durable,
            Fault::Crash { node, .. } | Fault::Leave { node } => {
                Cluster::new(self.clock.now(), &self.hosts).can_lose(*node)
            }
            _ => true,
        }
    }

    fn begin_fault(&mut self, fault: Fault, until: Duration) {
        if let Fault::Crash { node, .. } = fault
            && (self.hosts[node].life().is_none() || self.faults_on.is_down(node))
        {
            return;
        }
        self.note(format!("fault: {fault}, until {:.3} s", until.as_secs_f64()));
        self.faults_on.begin(fault, until, &mut self.hosts, &self.network);
    }

    /// Ends all faults.
    fn heal(&mut self) {
        self.note("faults are over".to_owned());
        self.shared.end();
        let down = self.faults_on.end(Duration::MAX, &mut self.hosts, &self.network);
        let now = self.clock.now();
        down.into_iter().for_each(|host| self.boots[host] = Some(now));
    }

    /// Runs the checks of the scenario, one after the other.
    fn check(&mut self) -> Result<(), Violation> {
        for check in std::mem::take(&mut self.scenario.finally) {
            let verdict = Verdict::default();
            self.run_until(CHECKS_MAX, "the checks end", |me| me.pursue(&check, &verdict))?;
            verdict.get().cloned().unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Has a check run until it comes to its verdict, and says whether it has. It begins on the first node that takes requests,
    /// and again if that ends: a node may learn late that the cluster has removed it.
    fn pursue(&self, check: &Check, verdict: &Verdict) -> bool {
        if verdict.get().is_none() && self.shared.running() == 0 {
            let ready = self.hosts.iter().filter_map(Host::life).filter(|life| life.process.is_ready());
            let mut clients = ready.filter_map(|life| Some((life, self.shared.client(life)?)));
            if let Some((life, client)) = clients.find(|(_, client)| !client.life().is_closed()) {
                self.shared.spawn(life, check.task(client, verdict.clone()));
            }
        }
        verdict.get().is_some()
    }

    fn run_until(&mut self, max: Duration, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), Violation> {
        let end = self.clock.now() + max;
        while !done(self) {
            if self.clock.now() >= end {
                return Err(Violation { invariant: what.to_owned(), explanation: self.not_done(max) });
            }
            self.step()?;
        }
        Ok(())
    }

    /// What is missing when something has not happened in time.
    fn not_done(&self, max: Duration) -> String {
        let mut text = format!("not within {max:?}; {} clients wait for answers", self.shared.running());
        for host in &self.hosts {
            let state = match host.life() {
                None => "does not run".to_owned(),
                Some(life) => match life.process.node() {
                    None => "has not started".to_owned(),
                    Some(node) => node.missing().map_or("is ready".to_owned(), |missing| format!("lacks {missing}")),
                },
            };
            text.push_str(&format!("\n  node-{} {state}", host.number));
        }
        for replica in Cluster::new(self.clock.now(), &self.hosts).replicas() {
            let (node, group, status) = (replica.node, replica.group.id, replica.status);
            let (leader, last, committed) = (status.leader, status.last_index, status.committed);
            text.push_str(&format!(
                "\n  node-{node}, group {group}: term {}, leader {leader:?}, last entry {last:?}, committed {committed:?}",
                status.term
            ));
        }
        text
    }

    fn all_ready(&self) -> bool {
        let ready = |host: &Host| {
            let life = host.life().filter(|life| life.process.is_ready());
            life.and_then(|life| life.process.node()).is_some_and(|node| node.missing().is_none())
        };
        self.hosts.iter().all(ready)
    }

    /// One step of time.
    fn step(&mut self) -> Result<(), Violation> {
        self.clock.advance();
        let now = self.clock.now();
        for host in self.faults_on.end(now, &mut self.hosts, &self.network) {
            self.boots[host] = Some(now);
        }
        self.boot_due(now)?;
        self.network.deliver();
        for host in 0..self.hosts.len() {
            self.trace.enter(Some(host));
            self.hosts[host].step();
            self.start_clients(host);
            self.trace.enter(None);
        }
        self.replace_ended(now);
        let cluster = Cluster::new(now, &self.hosts);
        for invariant in &mut self.scenario.always {
            let held = invariant.check(&cluster);
            held.map_err(|explanation| Violation { invariant: invariant.name().to_owned(), explanation })?;
        }
        self.shared.violation().map_or(Ok(()), Err)
    }

    fn boot_due(&mut self, now: Duration) -> Result<(), Violation> {
        for host in 0..self.hosts.len() {
            if self.boots[host].take_if(|due| *due <= now).is_some() && self.hosts[host].life().is_none() {
                self.note(format!("node-{host} starts"));
                let booted = self.hosts[host].boot(now);
                let failed = |error| format!("node-{host} does not start: {error}");
                booted.map_err(|error| Violation { invariant: "nodes start".into(), explanation: failed(error) })?;
            }
        }
        Ok(())
    }

    /// Starts the clients of a node that has become ready.
    fn start_clients(&mut self, host: usize) {
        let lives = self.hosts[host].lives();
        if self.shared.is_over() || self.served[host] == lives {
            return;
        }
        let Some(life) = self.hosts[host].life().filter(|life| life.process.is_ready()) else { return };
        self.served[host] = lives;
        for make in &self.scenario.clients {
            if let Some(client) = self.shared.client(life) {
                self.shared.spawn(life, make(client));
            }
        }
    }

    /// Does what an operator would: a node that has ended by itself is started again.
    fn replace_ended(&mut self, now: Duration) {
        for host in 0..self.hosts.len() {
            if let Some(why) = self.hosts[host].ended() {
                self.note(format!("node-{host} has ended by itself: {why}"));
                self.hosts[host].crash(false);
                self.boots[host] = Some(now + OPERATOR_DELAY);
            }
        }
    }

    fn note(&self, text: String) {
        self.trace.say(text);
    }
}
