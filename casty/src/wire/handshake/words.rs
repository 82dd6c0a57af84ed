//! What is said once the prefaces agree, in the codec that both sides share.

use serde::{Deserialize, Serialize};

use crate::base::NodeKey;
use crate::wire::{HandshakeError, Member};

/// Who a dialler is, and what it wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) cluster_name: String,
    pub(crate) member: Member,
    pub(crate) purpose: Purpose,
}

/// What a dialler wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// To know who listens at the address, and to be known to it: if it is the one of the two that dials, it does so then. The
    /// connection ends with the answer.
    Ask,
    /// To know whether a node that dials can be dialled itself. The connection ends with the answer.
    Check,
    /// To be linked with the node `to`. The nonce grows with every link that the dialler makes: a link with a lower nonce than
    /// the one that stands was overtaken, and is refused, so frames of an old link never follow those of a newer one.
    Link { to: NodeKey, nonce: u64 },
    /// To be the bulk lane of the link with this nonce, which is open once it has both lanes.
    Bulk { to: NodeKey, nonce: u64 },
    /// To call the cluster through whoever answers, without being a node of it: frames go both ways. The nonce grows with every
    /// connection that the client makes, to whichever node: what was under way on an earlier one is late.
    Client { nonce: u64 },
}

/// Why an acceptor takes no link. "Yours" is the dialler's, "mine" the acceptor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
    ClusterName { yours: String, mine: String },
    OtherNode { wanted: NodeKey, mine: Box<Member> },
    Superseded { yours: Box<Member>, newest: Box<Member> },
    StaleLink,
    Leaving,
    TooManyPeers { max: u32 },
    TooManyClients { max: u32 },
    Unreachable { yours: Box<Member>, why: String },
    WrongDialler,
    Busy,
}

impl Reason {
    /// The reason as the dialler's error.
    pub(crate) fn at_dialler(self) -> HandshakeError {
        self.into_error(true)
    }

    /// The reason as the acceptor's error.
    pub(crate) fn at_acceptor(self) -> HandshakeError {
        self.into_error(false)
    }

    fn into_error(self, dialler: bool) -> HandshakeError {
        match self {
            Self::ClusterName { yours, mine } => {
                let (ours, theirs) = if dialler { (yours, mine) } else { (mine, yours) };
                HandshakeError::ClusterName { ours, theirs }
            }
            Self::OtherNode { wanted, mine } => HandshakeError::OtherNode { wanted, found: mine },
            Self::Superseded { yours, newest } => HandshakeError::Superseded { old: yours, newest },
            Self::StaleLink => HandshakeError::StaleLink,
            Self::Leaving => HandshakeError::Leaving,
            Self::TooManyPeers { max } => HandshakeError::TooManyPeers { max },
            Self::TooManyClients { max } => HandshakeError::TooManyClients { max },
            Self::Unreachable { yours, why } => HandshakeError::Unreachable { dialler: yours, why },
            Self::WrongDialler => HandshakeError::WrongDialler,
            Self::Busy => HandshakeError::Busy,
        }
    }
}
