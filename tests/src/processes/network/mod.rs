//! Where the nodes of a run live, and the wires between them.

mod loopback;
mod namespaces;
mod partition;
mod switch;

use std::path::Path;
use std::process::Command;

pub use namespaces::unavailable;
pub use partition::Partition;
pub use switch::Quality;

use self::namespaces::{Namespaces, Wires};
use super::{HarnessError, Run, sweep};

/// The port that every node listens on.
const PORT: u16 = 7_400;

/// The network of a run: an address for each node, and faults between them. Nodes are numbered from 0 on.
#[derive(Debug)]
pub struct Network {
    run: Run,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Loopback,
    Namespaces(Namespaces),
}

impl Network {
    /// Every node has a loopback address of its own. Nothing between them can be broken, and nothing is needed for it.
    pub fn loopback() -> Self {
        Self { run: Run::next(), kind: Kind::Loopback }
    }

    /// Every node has a namespace of its own, and a wire to one bridge. Needs root and `ip`.
    pub fn bridged(nodes: usize) -> Result<Self, HarnessError> {
        Self::namespaces(nodes, Wires::Bridge)
    }

    /// Every node has a namespace of its own, and a wire to one switch that can delay and lose what it carries. Needs
    /// root, `ip` and `python3`.
    pub fn switched(nodes: usize) -> Result<Self, HarnessError> {
        Self::namespaces(nodes, Wires::Switch)
    }

    fn namespaces(nodes: usize, wires: Wires) -> Result<Self, HarnessError> {
        sweep();
        let run = Run::next();
        Ok(Self { run, kind: Kind::Namespaces(Namespaces::create(run, nodes, wires)?) })
    }

    /// The run whose network this is.
    pub fn run(&self) -> Run {
        self.run
    }

    /// Where a node listens, and others dial it.
    pub fn address(&self, node: usize) -> String {
        match &self.kind {
            Kind::Loopback => format!("{}:{PORT}", loopback::ip(self.run, node)),
            Kind::Namespaces(_) => format!("{}:{PORT}", namespaces::ip(self.run, node)),
        }
    }

    /// A program that is to run where a node lives.
    pub fn command(&self, node: usize, program: &Path) -> Command {
        match &self.kind {
            Kind::Loopback => Command::new(program),
            Kind::Namespaces(_) => {
                // It becomes the program: the process has one id from its start on.
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &self.run.namespace(node)]).arg(program);
                command
            }
        }
    }

    /// From now on exactly what this partition cuts is lost, without a word to the sender.
    pub fn set(&mut self, partition: &Partition) -> Result<(), HarnessError> {
        match &mut self.kind {
            Kind::Loopback => Err(no_such_fault("a loopback network", "be partitioned", "Network::bridged")),
            Kind::Namespaces(namespaces) => namespaces.set(partition),
        }
    }

    /// Nothing is cut any more.
    pub fn heal(&mut self) -> Result<(), HarnessError> {
        self.set(&Partition::none())
    }

    /// From now on the wires between all nodes are like this.
    pub fn quality(&mut self, quality: Quality) -> Result<(), HarnessError> {
        match &mut self.kind {
            Kind::Loopback => Err(no_such_fault("a loopback network", "delay or lose", "Network::switched")),
            Kind::Namespaces(namespaces) => namespaces.quality(quality),
        }
    }

    /// From now on everything to and from this node takes its way over wires like this.
    pub fn quality_of(&mut self, node: usize, quality: Quality) -> Result<(), HarnessError> {
        match &mut self.kind {
            Kind::Loopback => Err(no_such_fault("a loopback network", "delay or lose", "Network::switched")),
            Kind::Namespaces(namespaces) => namespaces.quality_of(node, quality),
        }
    }

    /// Whether the wires can be cut.
    pub fn can_part(&self) -> bool {
        matches!(self.kind, Kind::Namespaces(_))
    }

    /// Whether the wires can delay and lose.
    pub fn can_delay(&self) -> bool {
        matches!(&self.kind, Kind::Namespaces(namespaces) if namespaces.is_switched())
    }
}

fn no_such_fault(network: &'static str, fault: &'static str, instead: &'static str) -> HarnessError {
    HarnessError::NoSuchFault { network, fault, instead }
}
