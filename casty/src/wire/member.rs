//! Who a node is, as it says to others.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{NodeId, NodeKey};

/// The longest name of a node or a cluster and the longest address, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// One life of a node, where others dial it, and what it does in the cluster.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Spelled", into = "Spelled")]
#[non_exhaustive]
pub struct Member {
    /// The hash of `id` and `incarnation`. It does not travel: it is computed anew, so it cannot lie.
    pub key: NodeKey,
    /// The node's name, which outlives restarts.
    pub id: NodeId,
    /// The number of this life; of two lives of one node, the higher one counts.
    pub incarnation: u64,
    /// How often this life was declared down and came back.
    pub bump: u16,
    /// `host:port`, where others dial it.
    pub addr: String,
    /// What it does in the cluster.
    pub role: Role,
}

/// What a node does in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// It holds replicas and votes.
    #[default]
    Replica,
    /// It takes part without replicas and without a vote.
    Observer,
}

impl Member {
    /// The life number `incarnation` of the node `id`, never declared down so far.
    pub fn new(id: NodeId, incarnation: u64, addr: impl Into<String>, role: Role) -> Self {
        Self { key: NodeKey::new(&id, incarnation), id, incarnation, bump: 0, addr: addr.into(), role }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} (incarnation {})", self.id, self.addr, self.incarnation)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}.{}@{}", self.id, self.incarnation, self.bump, self.addr)
    }
}

/// A member as it is spelled on the wire.
#[derive(Serialize, Deserialize)]
struct Spelled {
    id: NodeId,
    incarnation: u64,
    bump: u16,
    addr: String,
    role: Role,
}

impl From<Member> for Spelled {
    fn from(Member { key: _, id, incarnation, bump, addr, role }: Member) -> Self {
        Self { id, incarnation, bump, addr, role }
    }
}

impl TryFrom<Spelled> for Member {
    type Error = NotAMember;

    fn try_from(Spelled { id, incarnation, bump, addr, role }: Spelled) -> Result<Self, NotAMember> {
        for (what, name) in [("id", id.as_str()), ("address", addr.as_str())] {
            if name.is_empty() || name.len() > NAME_BYTES_MAX {
                return Err(NotAMember { what, bytes: name.len() });
            }
        }
        Ok(Self { bump, ..Self::new(id, incarnation, addr, role) })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the {what} of a member has {bytes} bytes, allowed are 1 to {NAME_BYTES_MAX}")]
struct NotAMember {
    what: &'static str,
    bytes: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};

    #[test]
    fn a_member_travels_without_its_key_and_gets_it_back() {
        let member = Member::new("a".into(), 7, "127.0.0.1:1", Role::Observer);
        assert_eq!(decode::<Member>(&encode(&member).unwrap()).unwrap(), member);
    }

    #[test]
    fn a_name_without_end_is_no_member() {
        let endless = "x".repeat(NAME_BYTES_MAX + 1);
        let member = Member::new(endless.as_str().into(), 1, "127.0.0.1:1", Role::Replica);
        assert!(decode::<Member>(&encode(&member).unwrap()).is_err());
    }
}
