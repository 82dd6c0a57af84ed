//! The faults that are on at the moment, and what they mean for hosts and network.

use std::time::Duration;

use super::fault::Fault;
use super::host::Host;
use super::net::{Links, Network};

/// The faults that are on at the moment.
#[derive(Default)]
pub(super) struct FaultsOn(Vec<On>);

struct On {
    fault: Fault,
    until: Duration,
}

impl FaultsOn {
    /// A fault begins.
    pub(super) fn begin(&mut self, fault: Fault, until: Duration, hosts: &mut [Host], network: &Network) {
        match &fault {
            Fault::BrokenConnections { a, b } => return network.break_connections(*a, *b),
            Fault::ClockJump { node, by } => return hosts[*node].jump(*by),
            Fault::Crash { node, power } => hosts[*node].crash(*power),
            Fault::Blackout => hosts.iter_mut().for_each(|host| host.crash(true)),
            Fault::Leave { node } => return hosts[*node].leave(),
            Fault::Halt { node, clock_stands } => hosts[*node].halt(*clock_stands),
            Fault::SlowDisk { node, by } => {
                if let Some(life) = hosts[*node].life() {
                    life.disk.set_delay(*by);
                }
            }
            Fault::Cut { .. } | Fault::SlowLink { .. } => {}
        }
        self.0.push(On { fault, until });
        network.set_links(self.links());
    }

    /// The faults that are over by now end. Gives the hosts that have to be started again.
    pub(super) fn end(&mut self, now: Duration, hosts: &mut [Host], network: &Network) -> Vec<usize> {
        let over: Vec<_> = self.0.extract_if(.., |on| on.until <= now).map(|on| on.fault).collect();
        if over.is_empty() {
            return Vec::new();
        }
        network.set_links(self.links());
        let mut to_boot = Vec::new();
        for fault in over {
            match fault {
                Fault::Crash { node, .. } if !self.is_down(node) => to_boot.push(node),
                Fault::Blackout => to_boot.extend((0..hosts.len()).filter(|host| !self.is_down(*host))),
                Fault::Halt { node, .. } if !self.is_halted(node) => hosts[node].resume(),
                Fault::SlowDisk { node, .. } => {
                    if let Some(life) = hosts[node].life() {
                        life.disk.set_delay(Duration::ZERO);
                    }
                }
                _ => {}
            }
        }
        to_boot
    }

    /// Whether a node waits to be started again.
    pub(super) fn is_down(&self, host: usize) -> bool {
        let is_down = |fault: &Fault| match fault {
            Fault::Crash { node, .. } => *node == host,
            Fault::Blackout => true,
            _ => false,
        };
        self.0.iter().any(|on| is_down(&on.fault))
    }

    fn is_halted(&self, host: usize) -> bool {
        self.0.iter().any(|on| matches!(on.fault, Fault::Halt { node, .. } if node == host))
    }

    fn links(&self) -> Links {
        let mut links = Links::default();
        for on in &self.0 {
            match &on.fault {
                Fault::Cut { ways, .. } => ways.iter().for_each(|(from, to)| links.cut(*from, *to)),
                Fault::SlowLink { a, b, by } => {
                    links.slow(*a, *b, *by);
                    links.slow(*b, *a, *by);
                }
                _ => {}
            }
        }
        links
    }
}
