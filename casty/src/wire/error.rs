//! What goes wrong on a connection.

use std::io;
use std::time::Duration;

use super::{Features, Member, Versions};
use crate::base::NodeKey;
use crate::codec::DecodeError;

/// The bytes of a connection are no frames, or they stopped coming.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// A frame announced more bytes than a frame may have.
    #[error("a frame announced more than {max} bytes; does the other side speak casty, in the same version?")]
    TooLong {
        /// The limit, in bytes.
        max: usize,
    },
    /// A frame of length zero.
    #[error("a frame came without a kind; does the other side speak casty, in the same version?")]
    NoKind,
    /// A compressed frame does not hold what it announces, or was not agreed on.
    #[error("a compressed frame cannot be expanded")]
    BadlyCompressed,
    /// Nothing came, not even a ping.
    #[error("nothing came for {after:?}, not even a ping")]
    Silent {
        /// How long was waited.
        after: Duration,
    },
}

/// A body is larger than a frame may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {bytes} bytes is over the limit of {max}")]
pub(crate) struct TooLarge {
    pub(crate) bytes: usize,
    pub(crate) max: usize,
}

/// Two nodes did not agree to be linked. Both sides get the same error, each from its own point of view.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// The connection broke, or what came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The handshake took too long.
    #[error("the handshake was not done within {after:?}; is the address that of a casty node?")]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The other side closed the connection in the middle of the handshake.
    #[error("the other side closed the connection during the handshake; its log may say why")]
    Closed,
    /// It had said nothing, and its place was wanted for a newer connection.
    #[error("it said nothing, and made room for a newer connection; does somebody open connections without a word?")]
    Evicted,
    /// The other side is no casty node.
    #[error("the other side does not speak casty; is the address right?")]
    NotCasty,
    /// The other side's words cannot be understood.
    #[error("a word of the handshake cannot be read: {0}")]
    Malformed(#[from] DecodeError),
    /// The nodes speak different versions of the protocol.
    #[error("this node speaks version {ours} of the protocol, the other {theirs}; run versions of casty that match")]
    Version {
        /// This node's.
        ours: Versions,
        /// The other node's.
        theirs: Versions,
    },
    /// The nodes encode values differently.
    #[error("this node encodes with codec {ours}, the other with codec {theirs}; build both with the same codec")]
    Codec {
        /// This node's.
        ours: u8,
        /// The other node's.
        theirs: u8,
    },
    /// The other side cannot do what this node insists on.
    #[error("this node needs {needed} of its peers, and the other offers {offered}; configure all nodes alike")]
    TheyLack {
        /// What this node needs.
        needed: Features,
        /// What the other offers.
        offered: Features,
    },
    /// This node cannot do what the other side insists on.
    #[error("the other node needs {needed} of its peers, and this one offers {offered}; configure all nodes alike")]
    WeLack {
        /// What the other needs.
        needed: Features,
        /// What this node offers.
        offered: Features,
    },
    /// The other side did not prove that it knows the secret. Which secret it has, nobody was told.
    #[error("the two nodes do not know the same secret; give all nodes the same `secret`")]
    Unproven,
    /// The other side began to speak TLS.
    #[error("the other side speaks TLS, and this node plaintext; give all nodes `tls`, or none")]
    SpeaksTls,
    /// The other side does not speak TLS.
    #[error("this node speaks TLS, and the other side does not; give all nodes `tls`, or none")]
    NotTls,
    /// This node does not trust the certificate of the other side.
    #[error("this node does not trust the other side's certificate: {why}")]
    Distrusted {
        /// What is wrong with it.
        why: String,
    },
    /// The other side does not trust this node's certificate, or got none.
    #[error("the other side does not trust this node's certificate ({why}); its log says why")]
    NotTrusted {
        /// What it said.
        why: String,
    },
    /// TLS failed for another reason.
    #[error("TLS failed: {why}")]
    Tls {
        /// How.
        why: String,
    },
    /// The system gave no random bytes, without which there is no challenge.
    #[error("the system gives no random numbers: {why}")]
    NoRandomness {
        /// What it said.
        why: String,
    },
    /// The nodes belong to different clusters.
    #[error("this node belongs to cluster `{ours}`, the other to `{theirs}`; check `cluster_name` and the seeds")]
    ClusterName {
        /// This node's.
        ours: String,
        /// The other node's.
        theirs: String,
    },
    /// Another node answered than the one that was dialled: it was restarted, or the address is another's now.
    #[error("{found} answered where node key {wanted} was dialled")]
    OtherNode {
        /// The key that was dialled.
        wanted: NodeKey,
        /// Who answered, or this node if it was mistaken for another.
        found: Box<Member>,
    },
    /// A later life of the dialling node is a member already.
    #[error("{old} was replaced by {newest}; give every node a `node_id` of its own and stop the older process")]
    Superseded {
        /// The life that is over.
        old: Box<Member>,
        /// The life that counts.
        newest: Box<Member>,
    },
    /// Another process has this node's name and incarnation.
    #[error("{other} is another process with this node's id and incarnation; give every node a `node_id` of its own")]
    SameLife {
        /// The other process.
        other: Box<Member>,
    },
    /// The dialler has made a newer link already.
    #[error("the dialler has made a newer link already")]
    StaleLink,
    /// The acceptor is about to stop.
    #[error("the node that was dialled is about to stop")]
    Leaving,
    /// The acceptor knows as many peers as it can.
    #[error("the acceptor knows {max} peers already, its limit")]
    TooManyPeers {
        /// The limit.
        max: u32,
    },
    /// The dialler cannot be dialled where it says that it is.
    #[error(
        "{dialler} dials others and cannot be dialled itself ({why}); set `advertise` to an address at which all nodes reach it"
    )]
    Unreachable {
        /// Who dialled, and where it says that it is.
        dialler: Box<Member>,
        /// What came of it to dial there.
        why: String,
    },
    /// Of two nodes the one with the smaller key dials, and it was the other one.
    #[error("the node that was dialled is the one of the two that dials; it does when it is asked who is there")]
    WrongDialler,
    /// The acceptor dials as many others back as it can at one time.
    #[error("the node that was dialled is dialled by too many at once; it is tried again")]
    Busy,
    /// The acceptor serves as many clients as it can.
    #[error("the node serves {max} clients already, its limit; another node may have room")]
    TooManyClients {
        /// The limit.
        max: u32,
    },
}

impl HandshakeError {
    /// The error as a label of a metric.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Frame(_) | Self::Closed => "broken",
            Self::TimedOut { .. } | Self::Evicted => "silent",
            Self::NotCasty | Self::Malformed(_) => "not_casty",
            Self::Version { .. } => "version",
            Self::Codec { .. } => "codec",
            Self::TheyLack { .. } | Self::WeLack { .. } => "features",
            Self::Unproven => "secret",
            Self::SpeaksTls | Self::NotTls | Self::Tls { .. } => "tls",
            Self::Distrusted { .. } | Self::NotTrusted { .. } => "certificate",
            Self::NoRandomness { .. } => "randomness",
            Self::ClusterName { .. } => "cluster_name",
            Self::OtherNode { .. } | Self::Superseded { .. } | Self::SameLife { .. } => "identity",
            Self::StaleLink | Self::Leaving | Self::WrongDialler | Self::Busy => "passing",
            Self::Unreachable { .. } => "unreachable",
            Self::TooManyPeers { .. } => "too_many_peers",
            Self::TooManyClients { .. } => "too_many_clients",
        }
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> Self {
        Self::Frame(error.into())
    }
}
