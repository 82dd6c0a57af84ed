//! Who a node is, as it says to others.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::labels::{Labels, LabelsError, few};
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
    /// Which state of this life it is: it grows when the node was declared down and comes back, and with every start of a
    /// node that keeps its life in a folder.
    pub bump: u64,
    /// `host:port`, where others dial it.
    pub addr: String,
    /// What it does in the cluster.
    pub role: Role,
    /// What its program says of it.
    pub(crate) labels: Arc<Labels>,
}

/// What a node does in the cluster as far as casty is concerned: whether it holds replicas and votes.
///
/// That is casty's own word, and each node has one. The words that a program gives its nodes, as many as it likes and with no
/// meaning to casty, are what other clusters call roles too, and are asked for by name: [`Member::has_role`].
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
        Self {
            key: NodeKey::new(&id, incarnation),
            id,
            incarnation,
            bump: 0,
            addr: addr.into(),
            role,
            labels: Arc::default(),
        }
    }

    /// The same, of which its program says this.
    pub(crate) fn labelled(self, labels: Labels) -> Self {
        Self { labels: Arc::new(labels), ..self }
    }

    /// Whether the node was given this role: [`ClusterConfig::role`](crate::ClusterConfig::role).
    pub fn has_role(&self, role: &str) -> bool {
        self.labels.roles.contains(role)
    }

    /// The roles that the node was given, in order. They have nothing to do with [`role`](Self::role), which says whether it
    /// holds replicas.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.labels.roles.iter().map(String::as_str)
    }

    /// What the node says of itself under this key: [`ClusterConfig::metadata`](crate::ClusterConfig::metadata).
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.labels.metadata.get(key).map(String::as_str)
    }

    /// All that the node says of itself, by key.
    pub fn all_metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()))
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
    bump: u64,
    addr: String,
    role: Role,
    #[serde(deserialize_with = "few")]
    roles: Vec<String>,
    #[serde(deserialize_with = "few")]
    metadata: Vec<(String, String)>,
}

impl From<Member> for Spelled {
    fn from(Member { key: _, id, incarnation, bump, addr, role, labels }: Member) -> Self {
        let Labels { roles, metadata } = Arc::unwrap_or_clone(labels);
        let (roles, metadata) = (roles.into_iter().collect(), metadata.into_iter().collect());
        Self { id, incarnation, bump, addr, role, roles, metadata }
    }
}

impl TryFrom<Spelled> for Member {
    type Error = NotAMember;

    fn try_from(Spelled { id, incarnation, bump, addr, role, roles, metadata }: Spelled) -> Result<Self, NotAMember> {
        for (what, name) in [("id", id.as_str()), ("address", addr.as_str())] {
            if name.is_empty() || name.len() > NAME_BYTES_MAX {
                return Err(NotAMember::Name { what, bytes: name.len() });
            }
        }
        let labels = Labels { roles: roles.into_iter().collect(), metadata: metadata.into_iter().collect() };
        labels.check()?;
        Ok(Self { bump, ..Self::new(id, incarnation, addr, role).labelled(labels) })
    }
}

#[derive(Debug, thiserror::Error)]
enum NotAMember {
    #[error("the {what} of a member has {bytes} bytes, allowed are 1 to {NAME_BYTES_MAX}")]
    Name { what: &'static str, bytes: usize },
    #[error("the labels of a member cannot be: {0}")]
    Labels(#[from] LabelsError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};
    use crate::wire::HANDSHAKE_BYTES_MAX;
    use crate::wire::labels::{LABEL_BYTES_MAX, LABELS_MAX};

    fn labels(roles: impl IntoIterator<Item = String>, metadata: &[(&str, &str)]) -> Labels {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Labels { roles: roles.into_iter().collect(), metadata }
    }

    #[test]
    fn a_member_travels_without_its_key_and_gets_it_back() {
        let member = Member::new("a".into(), 7, "127.0.0.1:1", Role::Observer);
        assert_eq!(decode::<Member>(&encode(&member).unwrap()).unwrap(), member);
        let member = member.labelled(labels(["frontend".to_owned()], &[("zone", "eu-1")]));
        let there = decode::<Member>(&encode(&member).unwrap()).unwrap();
        assert_eq!(there, member);
        assert!(there.has_role("frontend") && !there.has_role("zone"));
        assert_eq!((there.metadata("zone"), there.metadata("frontend")), (Some("eu-1"), None));
    }

    #[test]
    fn labels_beyond_the_bounds_are_no_member() {
        let member = || Member::new("a".into(), 1, "127.0.0.1:1", Role::Replica);
        let long = "v".repeat(LABEL_BYTES_MAX);
        let many = (0..=LABELS_MAX).map(|n| n.to_string());
        for labels in [labels([], &[("k", &long)]), labels(many, &[]), labels([String::new()], &[])] {
            assert!(decode::<Member>(&encode(&member().labelled(labels)).unwrap()).is_err());
        }
    }

    #[test]
    fn a_word_of_the_handshake_has_room_for_two_of_the_largest_members() {
        let (name, role) = ("n".repeat(NAME_BYTES_MAX), |n: usize| format!("{n:015}"));
        let labels = labels((0..LABELS_MAX).map(role).chain(["x".repeat(64)]).skip(1), &[]);
        labels.check().unwrap();
        let member = Member::new(name.as_str().into(), u64::MAX, name.clone(), Role::Replica).labelled(labels);
        let bytes = encode(&Member { bump: u64::MAX, ..member }).unwrap().len();
        assert!(2 * bytes + 256 < HANDSHAKE_BYTES_MAX, "{bytes} bytes, a proof, and what the word is about");
    }

    #[test]
    fn a_name_without_end_is_no_member() {
        let endless = "x".repeat(NAME_BYTES_MAX + 1);
        let member = Member::new(endless.as_str().into(), 1, "127.0.0.1:1", Role::Replica);
        assert!(decode::<Member>(&encode(&member).unwrap()).is_err());
    }
}
