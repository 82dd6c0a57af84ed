//! What nodes say to each other about the cluster itself.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::founding::Charter;
use crate::codec::{DecodeError, decode};
use crate::sharding::Declaration;

/// A control frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Control {
    /// The sender promises itself to this charter.
    Promise(Charter),
    /// The sender refuses the charter of this cluster for good; a promise to it no longer stands.
    Refused { cluster_id: u64 },
    /// The sender belongs to the cluster of this charter.
    Founded(Charter),
    /// Nothing will ever come of this cluster.
    Abandoned { cluster_id: u64 },
    /// Have the meta group decide on an entity type.
    Declare { id: u64, declaration: Declaration },
    /// What became of a [`Declare`](Self::Declare).
    Declared { id: u64, verdict: Verdict },
}

/// The end of a declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// The type is declared like this.
    Agreed,
    /// The cluster has it otherwise, or another type in its place.
    Conflict(Declaration),
    /// The node that was asked does not lead the meta group, or lost it: ask again.
    Again,
}

/// Reads a control frame.
pub(super) fn decode_control(bytes: &Bytes) -> Result<Control, DecodeError> {
    decode(bytes)
}
