//! What nodes say to each other about the cluster itself.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::founding::Charter;
use super::meta::{Command, Verdict};
use crate::codec::{DecodeError, decode};

/// A control frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Control {
    /// The sender promises itself to this charter.
    Promise(Charter),
    /// The sender refuses the charter of this cluster for good; a promise to it no longer stands.
    Refused { cluster_id: u64 },
    /// The sender belongs to the cluster of this charter.
    Founded(Charter),
    /// Nothing will ever come of this cluster.
    Abandoned { cluster_id: u64 },
    /// Have the meta group decide.
    Propose { id: u64, command: Command },
    /// What became of a [`Propose`](Self::Propose).
    Decided { id: u64, verdict: Verdict },
    /// The receiver's life of this number was a part of the cluster, and is no more.
    Over { incarnation: u64 },
}

/// The longest body of a control frame or of an announcement. A charter of as many founders as there can be takes a third
/// of it. Their items are so short that in memory they take some twenty times the bytes that they came in.
pub(crate) const WORD_BYTES_MAX: usize = 1 << 20;

/// Reads a control frame, or an announcement.
pub(crate) fn decode_word<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > WORD_BYTES_MAX {
        let why = format!("it is longer than {WORD_BYTES_MAX} bytes");
        return Err(DecodeError::Malformed { of: std::any::type_name::<T>(), bytes: bytes.len(), why });
    }
    decode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encode;

    #[test]
    fn a_word_beyond_the_limit_is_refused_unread() {
        let word = |bytes: usize| decode_word::<Vec<u8>>(&encode(&vec![7_u8; bytes]).unwrap()).map(|word| word.len());
        assert_eq!(word(WORD_BYTES_MAX - 5), Ok(WORD_BYTES_MAX - 5));
        assert!(word(WORD_BYTES_MAX).is_err());
    }
}
