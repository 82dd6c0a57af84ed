//! Nodes in network namespaces, and cuts between them.
//!
//! No node ever asks for the hardware address of another: each has all of them in its table of neighbours. To cut the way
//! from one to another, the first is given an address that nobody has. What it sends is then lost on the wire, as with a
//! broken cable: no error comes back, an open connection does not notice, and the other direction works.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::switch::{Quality, Switch};
use super::{Partition, Run, no_such_fault};
use crate::processes::HarnessError;
use crate::processes::command::{ip_batch, run as run_program};

/// What joins the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wires {
    /// A bridge of the kernel, without faults of its own.
    Bridge,
    /// A process that carries, delays and loses frames.
    Switch,
}

/// The namespaces of a run. They go with this.
#[derive(Debug)]
pub(super) struct Namespaces {
    run: Run,
    nodes: usize,
    partition: Partition,
    switch: Option<Switch>,
}

impl Namespaces {
    pub(super) fn create(run: Run, nodes: usize, wires: Wires) -> Result<Self, HarnessError> {
        // From here on a failure removes what was made before it.
        let mut made = Self { run, nodes, partition: Partition::none(), switch: None };
        let names: String = (0..nodes).map(|node| format!("netns add {}\n", run.namespace(node))).collect();
        ip_batch(None, &names)?;
        match wires {
            Wires::Bridge => ip_batch(None, &made.bridge_lines())?,
            Wires::Switch => {
                made.switch = Some(Switch::start(run, nodes)?);
                // The switch keeps its end of a device that goes elsewhere.
                ip_batch(None, &made.tap_lines())?;
            }
        }
        for node in 0..nodes {
            ip_batch(Some(&run.namespace(node)), &made.node_lines(node))?;
        }
        Ok(made)
    }

    pub(super) fn set(&mut self, partition: &Partition) -> Result<(), HarnessError> {
        let run = self.run;
        for node in 0..self.nodes {
            let lines = |wanted: &Partition, before: &Partition, mac: &dyn Fn(usize) -> String| -> String {
                let changed = wanted.beyond(before).filter(|(from, _)| *from == node);
                changed.map(|(_, to)| neighbour(run, to, &mac(to))).collect()
            };
            let cut = lines(partition, &self.partition, &|_| NOBODY.to_owned());
            let healed = lines(&self.partition, partition, &mac);
            let lines = cut + &healed;
            if !lines.is_empty() {
                ip_batch(Some(&run.namespace(node)), &lines)?;
            }
        }
        self.partition = partition.clone();
        Ok(())
    }

    pub(super) fn quality(&mut self, quality: Quality) -> Result<(), HarnessError> {
        let all = (0..self.nodes).flat_map(|from| (0..self.nodes).map(move |to| (from, to))).collect::<Vec<_>>();
        self.switch()?.set(all, quality)
    }

    pub(super) fn quality_of(&mut self, node: usize, quality: Quality) -> Result<(), HarnessError> {
        let pairs = (0..self.nodes).flat_map(|other| [(node, other), (other, node)]).collect::<Vec<_>>();
        self.switch()?.set(pairs, quality)
    }

    pub(super) fn is_switched(&self) -> bool {
        self.switch.is_some()
    }

    fn switch(&mut self) -> Result<&mut Switch, HarnessError> {
        self.switch.as_mut().ok_or(no_such_fault("a bridge", "delay or lose", "Network::switched"))
    }

    fn bridge_lines(&self) -> String {
        let bridge = self.run.bridge();
        let mut lines = format!("link add {bridge} type bridge\nlink set {bridge} up\n");
        for node in 0..self.nodes {
            let (device, namespace, mac) = (self.run.device(node), self.run.namespace(node), mac(node));
            let peer = format!("peer name {DEVICE} address {mac} netns {namespace}");
            let _ = writeln!(lines, "link add {device} type veth {peer}\nlink set {device} master {bridge} up");
        }
        lines
    }

    fn tap_lines(&self) -> String {
        let of = |node| (self.run.device(node), self.run.namespace(node), mac(node));
        let line = |(device, namespace, mac)| {
            format!("link set {device} address {mac}\nlink set {device} name {DEVICE} netns {namespace}\n")
        };
        (0..self.nodes).map(of).map(line).collect()
    }

    fn node_lines(&self, node: usize) -> String {
        let address = ip(self.run, node);
        let up = format!("address add {address}/24 dev {DEVICE}\nlink set {DEVICE} up\nlink set lo up\n");
        let others = (0..self.nodes).filter(|other| *other != node);
        up + &others.map(|other| neighbour(self.run, other, &mac(other))).collect::<String>()
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.switch = None;
        for node in 0..self.nodes {
            let _ = run_program("ip", &["link", "delete", &self.run.device(node)], "");
            let _ = run_program("ip", &["netns", "delete", &self.run.namespace(node)], "");
        }
        let _ = run_program("ip", &["link", "delete", &self.run.bridge()], "");
    }
}

/// Why namespaces cannot be made here, if they cannot.
pub fn unavailable() -> Option<String> {
    let run = Run::next();
    match Namespaces::create(run, 1, Wires::Bridge) {
        Ok(_) => None,
        Err(HarnessError::Failed { command, said }) => {
            let why = said.lines().next().unwrap_or_default();
            Some(format!("no network namespaces here: `{command}` says: {why}"))
        }
        Err(other) => Some(format!("no network namespaces here: {other}")),
    }
}

/// The address of a node. The kernel keeps namespaces apart, so that runs do not collide even where these are equal.
pub(super) fn ip(run: Run, node: usize) -> Ipv4Addr {
    let [_, middle, low] = run.bytes();
    Ipv4Addr::new(10, middle, low, node as u8 + 1)
}

/// The device of a node in its namespace.
const DEVICE: &str = "eth0";

/// The hardware address of a node: administered locally, and its last byte is the node's number.
fn mac(node: usize) -> String {
    format!("02:63:79:00:00:{node:02x}")
}

/// A hardware address that no node has.
const NOBODY: &str = "02:63:79:ff:ff:ff";

/// A line that tells a node where another is, for good.
fn neighbour(run: Run, other: usize, mac: &str) -> String {
    format!("neighbour replace {} lladdr {mac} dev {DEVICE} nud permanent\n", ip(run, other))
}
