//! What a node has to be told to take part in a cluster, and what may be wrong with it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{ClusterError, Discovery, Tls, trust};
use crate::base::{Backoff, NodeId};
use crate::wire::{Labels, Member, NAME_BYTES_MAX, Role, Secret, Versions};

/// What a node has to be told to take part in a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Nodes of other clusters are refused.
    pub cluster_name: String,
    /// `host:port` to listen on. Port 0 is a free port.
    pub bind: String,
    /// `host:port` that others dial; by default `bind`. Port 0 is the port that is listened on.
    pub advertise: Option<String>,
    /// `host:port` of nodes to ask for the others. They are asked for ever, and need not be there at the start.
    pub seeds: Vec<String>,
    /// Where else nodes may be found.
    pub discovery: Option<Arc<dyn Discovery>>,
    /// The node's name; by default the advertised address.
    pub node_id: Option<NodeId>,
    /// What the node does in the cluster.
    pub role: Role,
    /// What the program says of the node.
    pub(crate) labels: Labels,
    /// How links are encrypted. Without it, and without a secret, a node does not start.
    pub tls: Option<Tls>,
    /// What all nodes know and prove to each other.
    pub secret: Option<Secret>,
    /// Whether what the node sends in bulk is compressed.
    pub compression: Compression,
    /// Versions of the protocol that the node speaks.
    pub(crate) versions: Versions,
    /// Challenges are drawn from `seed` and not from the system: for simulations.
    pub(crate) nonces_from_seed: bool,
    /// The number of this life of the node. It must be higher than those of all its lives before.
    pub incarnation: u64,
    /// Where the numbers begin that tell this process apart from earlier ones of the same life: beyond all of theirs.
    pub(crate) first_number: u64,
    /// Where the random choices of this node begin.
    pub seed: u64,
    /// How fast things happen.
    pub timings: Timings,
}

/// Whether frames travel smaller than they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compression {
    above: Option<usize>,
}

impl Compression {
    /// None: the network is faster than the processor, or what is sent does not repeat itself.
    pub const fn off() -> Self {
        Self { above: None }
    }

    /// LZ4 for bulk frames (messages to entities, and their replies) of more than so many bytes, if they become smaller.
    pub const fn lz4_above(bytes: usize) -> Self {
        Self { above: Some(bytes) }
    }

    /// Frames of more than so many bytes are compressed.
    pub(super) fn above(self) -> Option<usize> {
        self.above
    }
}

/// How fast links and members are given up and come back. The defaults fit one data centre: a node that was killed is
/// declared down in about 1.5 to 2.5 s. (Links say so earlier: a killed process closes them at once.)
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Timings {
    /// A handshake that takes longer fails: 3 s.
    pub handshake_max: Duration,
    /// A link that was idle so long carries a ping: 200 ms.
    pub ping_every: Duration,
    /// A link on which no byte comes for so long is closed: 1.5 s.
    pub silence_max: Duration,
    /// A link that takes no byte for so long is closed: 2 s.
    pub write_max: Duration,
    /// The first delay before a lost link is made again: 20 ms. It doubles, with jitter.
    pub redial_first: Duration,
    /// The longest delay before a lost link is made again: 1 s.
    pub redial_longest: Duration,
    /// How often a member is probed: 300 ms.
    pub probe_every: Duration,
    /// A member that does not answer so fast is probed through others: 120 ms.
    pub probe_answer_max: Duration,
    /// A member under suspicion has so long to speak up before it is declared down: 1 s.
    pub suspicion: Duration,
    /// How often members tell news to three others: 200 ms.
    pub gossip_every: Duration,
    /// How often two seeds, a member, and two members that are down are asked for the others: 5 s. It is what joins
    /// the halves of a cluster after a partition.
    pub announce_every: Duration,
    /// A node that is down is forgotten after this time: one hour.
    pub forget_after: Duration,
}

impl Settings {
    /// A node of the cluster `cluster_name` that listens on `bind`, with no seeds, the first of its lives. How it trusts
    /// others is to be set: `tls`, `secret`, or both.
    pub fn new(cluster_name: impl Into<String>, bind: impl Into<String>) -> Self {
        Self {
            cluster_name: cluster_name.into(),
            bind: bind.into(),
            advertise: None,
            seeds: Vec::new(),
            discovery: None,
            node_id: None,
            role: Role::default(),
            labels: Labels::default(),
            tls: None,
            secret: None,
            compression: Compression::off(),
            versions: Versions::CURRENT,
            nonces_from_seed: false,
            incarnation: 1,
            first_number: 0,
            seed: 0,
            timings: Timings::default(),
        }
    }

    /// Finds what can be found wrong before the node listens.
    pub(super) fn check(&self) -> Result<(), ClusterError> {
        name("cluster name", &self.cluster_name)?;
        if let Some(id) = &self.node_id {
            name("node id", id.as_str())?;
        }
        host_port("bind", &self.bind)?;
        for seed in &self.seeds {
            host_port("seed", seed)?;
        }
        self.advertised(0)?;
        trust::check(self.tls.as_ref(), self.secret.as_ref())?;
        self.timings.check()
    }

    /// Who this node is, now that it listens on `port`.
    pub(super) fn member(&self, port: u16) -> Result<Member, ClusterError> {
        let addr = self.advertised(port)?;
        let id = self.node_id.clone().unwrap_or_else(|| addr.as_str().into());
        let member = Member::new(id, self.incarnation, addr, self.role).labelled(self.labels.clone());
        Ok(Member { bump: self.first_number, ..member })
    }

    /// The address that others dial, when this node listens on `port`.
    fn advertised(&self, port: u16) -> Result<String, ClusterError> {
        let (what, address) = match &self.advertise {
            Some(address) => ("advertise", address),
            None => ("bind", &self.bind),
        };
        let (host, asked) = host_port(what, address)?;
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if host.is_empty() || ip.is_ok_and(|ip| ip.is_unspecified()) {
            return Err(ClusterError::Wildcard { address: address.clone() });
        }
        let advertised = format!("{host}:{}", if asked == 0 { port } else { asked });
        name("advertised address", &advertised)?;
        Ok(advertised)
    }
}

impl Timings {
    /// Delays between the attempts to make a link.
    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.redial_first, self.redial_longest)
    }

    fn check(&self) -> Result<(), ClusterError> {
        let why = if self.probe_answer_max.is_zero() || self.probe_answer_max.saturating_mul(2) > self.probe_every {
            "`probe_answer_max` must be more than zero and at most half of `probe_every`"
        } else if self.suspicion.is_zero() || self.gossip_every.is_zero() || self.announce_every.is_zero() {
            "`suspicion`, `gossip_every` and `announce_every` must be more than zero"
        } else if self.ping_every.is_zero() || self.ping_every.saturating_mul(2) > self.silence_max {
            "`ping_every` must be more than zero and at most half of `silence_max`"
        } else if self.handshake_max.is_zero() || self.write_max.is_zero() || self.redial_first.is_zero() {
            "`handshake_max`, `write_max` and `redial_first` must be more than zero"
        } else {
            return Ok(());
        };
        Err(ClusterError::Timings { why })
    }
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            handshake_max: Duration::from_secs(3),
            ping_every: Duration::from_millis(200),
            silence_max: Duration::from_millis(1_500),
            write_max: Duration::from_secs(2),
            redial_first: Duration::from_millis(20),
            redial_longest: Duration::from_secs(1),
            probe_every: Duration::from_millis(300),
            probe_answer_max: Duration::from_millis(120),
            suspicion: Duration::from_secs(1),
            gossip_every: Duration::from_millis(200),
            announce_every: Duration::from_secs(5),
            forget_after: Duration::from_secs(3_600),
        }
    }
}

fn name(what: &'static str, name: &str) -> Result<(), ClusterError> {
    match name.len() {
        1..=NAME_BYTES_MAX => Ok(()),
        bytes => Err(ClusterError::Name { what, bytes, max: NAME_BYTES_MAX }),
    }
}

fn host_port<'a>(what: &'static str, address: &'a str) -> Result<(&'a str, u16), ClusterError> {
    address
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)))
        .ok_or_else(|| ClusterError::Address { what, address: address.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, bind: &str) -> Settings {
        Settings { tls: Some(Tls::insecure()), ..Settings::new(name, bind) }
    }

    #[test]
    fn a_node_that_trusts_nobody_and_everybody_is_told_the_three_ways() {
        let text = Settings::new("bank", "127.0.0.1:0").check().unwrap_err().to_string();
        for way in [".tls(Tls::from_pem(", ".secret(", ".tls(Tls::insecure())"] {
            assert!(text.contains(way), "{text}");
        }
        let secret = |secret| Settings { secret: Some(Secret::new(secret)), ..Settings::new("bank", "127.0.0.1:0") };
        secret("sixteen bytes are").check().unwrap();
        assert!(matches!(secret("guess me").check(), Err(ClusterError::ShortSecret { bytes: 8, min: 16 })));
    }

    #[test]
    fn an_address_that_means_every_interface_is_never_advertised() {
        for bind in ["0.0.0.0:8001", "[::]:8001", ":::8001", ":8001"] {
            let error = settings("bank", bind).check().unwrap_err();
            assert!(matches!(&error, ClusterError::Wildcard { .. }), "{bind}: {error}");
            assert!(error.to_string().contains(".advertise("), "{error}");
            let mut settings = settings("bank", bind);
            settings.advertise = Some("10.0.0.7:0".into());
            settings.check().unwrap();
            assert_eq!(settings.member(8001).unwrap().addr, "10.0.0.7:8001");
            settings.advertise = Some("0.0.0.0:9000".into());
            assert!(matches!(settings.check(), Err(ClusterError::Wildcard { .. })));
        }
    }

    #[test]
    fn the_port_that_was_given_is_advertised_and_names_the_node() {
        let member = Settings::new("bank", "localhost:0").member(4711).unwrap();
        assert_eq!((member.addr.as_str(), member.id.as_str()), ("localhost:4711", "localhost:4711"));
    }

    #[test]
    fn wrong_settings_are_named() {
        let mut bad = settings("bank", "127.0.0.1:0");
        bad.seeds = vec!["somewhere".into()];
        assert!(matches!(bad.check(), Err(ClusterError::Address { what: "seed", .. })));
        let bad = settings("", "127.0.0.1:0");
        assert!(matches!(bad.check(), Err(ClusterError::Name { what: "cluster name", bytes: 0, .. })));
        let mut bad = settings("bank", "127.0.0.1:0");
        bad.timings.probe_answer_max = bad.timings.probe_every;
        assert!(matches!(bad.check(), Err(ClusterError::Timings { .. })));
    }
}
