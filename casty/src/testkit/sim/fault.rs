//! What can go wrong, and how often it does.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// A process is killed: its connections close, its memory is gone. It is started again later, as a new node, or, with
    /// a disk, as the one that it was.
    Crash,
    /// The machine of a node loses power: nobody is told. It comes back later, likewise.
    PowerLoss,
    /// All machines lose power at one moment, and come back. Only nodes with disks live through it.
    Blackout,
    /// The nodes fall apart into two halves.
    Halves,
    /// The nodes fall apart into two halves, and one node still reaches both.
    Bridge,
    /// Nothing passes from one node to another, in one direction.
    OneWay,
    /// A node can send, and hears nothing.
    Deaf,
    /// A node hears everything, and cannot send.
    Mute,
    /// Everything between two nodes takes up to half a second longer.
    SlowLink,
    /// All connections between two nodes break.
    BrokenConnections,
    /// A process stands still, as in a debugger, while its clock goes on.
    Pause,
    /// A machine stands still, and its clock with it, as when it is moved to another host.
    Freeze,
    /// The clocks of a machine jump ahead.
    ClockJump,
    /// Flushes of a node's disk take up to a quarter of a second.
    SlowDisk,
    /// A node leaves the cluster in order. It is started again later, as a new node.
    Leave,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Crash,
        Self::PowerLoss,
        Self::Blackout,
        Self::Halves,
        Self::Bridge,
        Self::OneWay,
        Self::Deaf,
        Self::Mute,
        Self::SlowLink,
        Self::BrokenConnections,
        Self::Pause,
        Self::Freeze,
        Self::ClockJump,
        Self::SlowDisk,
        Self::Leave,
    ];
}

/// Which faults are drawn, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    pub(super) kinds: BTreeSet<FaultKind>,
    pub(super) every: Duration,
    pub(super) longest: Duration,
}

impl Faults {
    /// All kinds that a cluster in memory lives through, two each second on average, for up to three seconds each.
    pub fn all() -> Self {
        let kinds = FaultKind::ALL.into_iter().filter(|kind| *kind != FaultKind::Blackout).collect();
        Self { kinds, every: Duration::from_millis(500), longest: Duration::from_secs(3) }
    }

    /// No faults; add some with [`with`](Self::with).
    pub fn none() -> Self {
        Self { kinds: BTreeSet::new(), ..Self::all() }
    }

    /// This kind, too.
    pub fn with(mut self, kind: FaultKind) -> Self {
        self.kinds.insert(kind);
        self
    }

    /// Not this kind.
    pub fn without(mut self, kind: FaultKind) -> Self {
        self.kinds.remove(&kind);
        self
    }

    /// One fault in so much time, on average.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time;
        self
    }

    /// A fault lasts at most so long.
    pub fn longest(mut self, time: Duration) -> Self {
        self.longest = time;
        self
    }
}

/// One fault of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing passes on these ways.
    Cut {
        kind: FaultKind,
        ways: Vec<(usize, usize)>,
    },
    SlowLink {
        a: usize,
        b: usize,
        by: Duration,
    },
    BrokenConnections {
        a: usize,
        b: usize,
    },
    /// The node stops for good; its machine starts another.
    Crash {
        node: usize,
        power: bool,
    },
    /// Every node stops for good, without a word; the machines start again.
    Blackout,
    /// The node stands still. Its clock goes on, or stands as well.
    Halt {
        node: usize,
        clock_stands: bool,
    },
    ClockJump {
        node: usize,
        by: Duration,
    },
    SlowDisk {
        node: usize,
        by: Duration,
    },
    Leave {
        node: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { kind, ways } => {
                let ways: Vec<_> = ways.iter().map(|(from, to)| format!("{from}->{to}")).collect();
                write!(f, "{kind:?}: nothing passes {}", ways.join(" "))
            }
            Self::SlowLink { a, b, by } => write!(f, "node-{a} and node-{b} hear each other up to {by:?} later"),
            Self::BrokenConnections { a, b } => write!(f, "connections of node-{a} and node-{b} break"),
            Self::Crash { node, power: false } => write!(f, "node-{node} is killed"),
            Self::Crash { node, power: true } => write!(f, "node-{node} loses power"),
            Self::Blackout => write!(f, "all nodes lose power"),
            Self::Halt { node, clock_stands: false } => write!(f, "node-{node} stands still"),
            Self::Halt { node, clock_stands: true } => write!(f, "node-{node} stands still, and its clock"),
            Self::ClockJump { node, by } => write!(f, "the clock of node-{node} jumps ahead by {by:?}"),
            Self::Leave { node } => write!(f, "node-{node} leaves"),
            Self::SlowDisk { node, by } => write!(f, "a flush of node-{node} takes {by:?}"),
        }
    }
}
