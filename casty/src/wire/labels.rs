//! What a program says of its node, for others to read: roles and metadata.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What all roles, keys and values of a node may have together, in bytes. Every packet of gossip has room for three such nodes,
/// and a word of the handshake for two.
pub(crate) const LABEL_BYTES_MAX: usize = 1 << 10;

/// How many roles and keys a node may have together.
pub(crate) const LABELS_MAX: usize = 64;

/// The roles and the metadata of a node. They are the same for the whole life of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Labels {
    pub(crate) roles: BTreeSet<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Labels that do not travel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LabelsError {
    #[error("a role, or a key of the metadata, has no name")]
    Empty,
    #[error("a node has {LABELS_MAX} roles and keys of metadata at most; these are {count}")]
    TooMany { count: usize },
    #[error("roles, keys and values have {LABEL_BYTES_MAX} bytes at most, all together; these have {bytes}")]
    TooLong { bytes: usize },
}

impl Labels {
    pub(crate) fn check(&self) -> Result<(), LabelsError> {
        let names = || self.roles.iter().chain(self.metadata.keys());
        if names().any(String::is_empty) {
            return Err(LabelsError::Empty);
        }
        let count = names().count();
        if count > LABELS_MAX {
            return Err(LabelsError::TooMany { count });
        }
        let bytes = names().chain(self.metadata.values()).map(String::len).sum();
        if bytes > LABEL_BYTES_MAX { Err(LabelsError::TooLong { bytes }) } else { Ok(()) }
    }
}

/// Reads a list of no more items than a node may have labels: a longer one is given up before it is in memory.
pub(super) fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Few(PhantomData))
}

struct Few<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LABELS_MAX} labels at most")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Vec<T>, S::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            if items.len() == LABELS_MAX {
                return Err(S::Error::invalid_length(LABELS_MAX + 1, &self));
            }
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(roles: &[&str], metadata: &[(&str, &str)]) -> Labels {
        Labels {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            metadata: metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn what_all_labels_have_together_is_bounded() {
        let value = "v".repeat(LABEL_BYTES_MAX - 5);
        assert_eq!(labels(&["role"], &[("k", &value)]).check(), Ok(()));
        assert_eq!(
            labels(&["roles"], &[("k", &value)]).check(),
            Err(LabelsError::TooLong { bytes: LABEL_BYTES_MAX + 1 })
        );
    }

    #[test]
    fn how_many_there_are_is_bounded_and_each_has_a_name() {
        let names: Vec<_> = (0..=LABELS_MAX).map(|n| n.to_string()).collect();
        let roles: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(labels(&roles[1..], &[]).check(), Ok(()));
        assert_eq!(labels(&roles, &[]).check(), Err(LabelsError::TooMany { count: LABELS_MAX + 1 }));
        assert_eq!(labels(&roles[1..], &[("k", "")]).check(), Err(LabelsError::TooMany { count: LABELS_MAX + 1 }));
        assert_eq!(labels(&[""], &[]).check(), Err(LabelsError::Empty));
        assert_eq!(labels(&[], &[("", "v")]).check(), Err(LabelsError::Empty));
    }
}
