//! The words with which a link begins: the dialler says `Hello`, the acceptor says who it is, or why not.
//!
//! A hello begins with a magic number, the protocol's version and the codec's id as plain bytes, and a refusal about
//! one of them is plain bytes too. So nodes that share neither version nor codec can still tell each other why they
//! part. These bytes never change; everything after them may, with the version.

use serde::{Deserialize, Serialize};

use super::{HandshakeError, Member};
use crate::base::NodeKey;
use crate::codec::{Codec, DecodeError, EncodeError, Wire, decode, encode_into};

/// The version of what follows: frames, gossip and the messages of the layers above.
pub(crate) const VERSION: u16 = 1;

/// The largest frame of a handshake.
pub(crate) const HANDSHAKE_BYTES_MAX: usize = 4 << 10;

const MAGIC: [u8; 4] = *b"csty";

/// The first word of a dialler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) cluster_name: String,
    pub(crate) member: Member,
    pub(crate) purpose: Purpose,
}

/// What a dialler wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// To know who listens at the address. The connection ends with the answer.
    Ask,
    /// To send frames to the node `to`. The nonce grows with every link that the dialler makes: a link with a lower
    /// nonce than the one that stands was overtaken, and is refused, so frames of an old link never follow those of a
    /// newer one.
    Link { to: NodeKey, nonce: u64 },
}

/// Why an acceptor takes no link. "Yours" is the dialler's, "mine" the acceptor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Version { yours: u16, mine: u16 },
    Codec { yours: u8, mine: u8 },
    Other(Reason),
}

/// A reason that both sides can encode and decode, since they share version and codec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
    ClusterName { yours: String, mine: String },
    OtherNode { wanted: NodeKey, mine: Box<Member> },
    Superseded { yours: Box<Member>, newest: Box<Member> },
    StaleLink,
    Leaving,
    TooManyPeers { max: u32 },
}

impl Hello {
    /// Appends the hello's bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.push(Wire::ID);
        encode_into(self, out)
    }

    /// Reads a hello. A refusal is to be told to the dialler; an error means that there is nobody to tell.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Result<Self, Refusal>, HandshakeError> {
        let Some(([magic @ .., v0, v1, codec], rest)) = bytes.split_first_chunk::<7>() else {
            return Err(HandshakeError::NotCasty);
        };
        if *magic != MAGIC {
            return Err(HandshakeError::NotCasty);
        }
        let version = u16::from_le_bytes([*v0, *v1]);
        if version != VERSION {
            return Ok(Err(Refusal::Version { yours: version, mine: VERSION }));
        }
        if *codec != Wire::ID {
            return Ok(Err(Refusal::Codec { yours: *codec, mine: Wire::ID }));
        }
        Ok(Ok(decode(rest)?))
    }
}

impl Refusal {
    /// Appends the refusal's bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Version { yours, mine } => {
                out.push(0);
                out.extend_from_slice(&yours.to_le_bytes());
                out.extend_from_slice(&mine.to_le_bytes());
                Ok(())
            }
            Self::Codec { yours, mine } => {
                out.extend_from_slice(&[1, *yours, *mine]);
                Ok(())
            }
            Self::Other(reason) => {
                out.push(2);
                encode_into(reason, out)
            }
        }
    }

    /// Reads a refusal.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HandshakeError> {
        match bytes {
            [0, y0, y1, m0, m1] => {
                Ok(Self::Version { yours: u16::from_le_bytes([*y0, *y1]), mine: u16::from_le_bytes([*m0, *m1]) })
            }
            [1, yours, mine] => Ok(Self::Codec { yours: *yours, mine: *mine }),
            [2, reason @ ..] => Ok(Self::Other(decode(reason)?)),
            _ => Err(DecodeError::Malformed {
                of: "refusal",
                bytes: bytes.len(),
                why: "it begins with no known reason".into(),
            }
            .into()),
        }
    }

    /// The refusal as the dialler's error.
    pub(crate) fn at_dialler(self) -> HandshakeError {
        self.into_error(true)
    }

    /// The refusal as the acceptor's error.
    pub(crate) fn at_acceptor(self) -> HandshakeError {
        self.into_error(false)
    }

    fn into_error(self, dialler: bool) -> HandshakeError {
        fn sides<T>(dialler: bool, yours: T, mine: T) -> (T, T) {
            if dialler { (yours, mine) } else { (mine, yours) }
        }
        match self {
            Self::Version { yours, mine } => {
                let (ours, theirs) = sides(dialler, yours, mine);
                HandshakeError::Version { ours, theirs }
            }
            Self::Codec { yours, mine } => {
                let (ours, theirs) = sides(dialler, yours, mine);
                HandshakeError::Codec { ours, theirs }
            }
            Self::Other(Reason::ClusterName { yours, mine }) => {
                let (ours, theirs) = sides(dialler, yours, mine);
                HandshakeError::ClusterName { ours, theirs }
            }
            Self::Other(Reason::OtherNode { wanted, mine }) => HandshakeError::OtherNode { wanted, found: mine },
            Self::Other(Reason::Superseded { yours, newest }) => HandshakeError::Superseded { old: yours, newest },
            Self::Other(Reason::StaleLink) => HandshakeError::StaleLink,
            Self::Other(Reason::Leaving) => HandshakeError::Leaving,
            Self::Other(Reason::TooManyPeers { max }) => HandshakeError::TooManyPeers { max },
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Other(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    fn hello() -> Hello {
        Hello {
            cluster_name: "bank".into(),
            member: Member::new("a".into(), 1, "127.0.0.1:1", Role::Replica),
            purpose: Purpose::Link { to: NodeKey(9), nonce: 3 },
        }
    }

    fn spelled(hello: &Hello) -> Vec<u8> {
        let mut bytes = Vec::new();
        hello.encode(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_hello_is_understood() {
        assert_eq!(Hello::decode(&spelled(&hello())).unwrap().unwrap(), hello());
    }

    #[test]
    fn another_version_and_another_codec_are_refused_though_the_rest_cannot_be_read() {
        let mut newer = spelled(&hello());
        newer.truncate(7);
        newer[4] = 9;
        assert_eq!(Hello::decode(&newer).unwrap().unwrap_err(), Refusal::Version { yours: 9, mine: VERSION });
        let mut strange = spelled(&hello());
        strange.truncate(7);
        strange[6] = 77;
        assert_eq!(Hello::decode(&strange).unwrap().unwrap_err(), Refusal::Codec { yours: 77, mine: Wire::ID });
    }

    #[test]
    fn bytes_of_another_protocol_are_an_error() {
        assert!(matches!(Hello::decode(b"GET / HTTP/1.1"), Err(HandshakeError::NotCasty)));
        assert!(matches!(Hello::decode(b""), Err(HandshakeError::NotCasty)));
        assert!(matches!(Hello::decode(&spelled(&hello())[..12]), Err(HandshakeError::Malformed(_))));
    }

    #[test]
    fn refusals_travel_and_each_side_sees_its_own_value_first() {
        let names = Reason::ClusterName { yours: "bank".into(), mine: "shop".into() };
        for refusal in [
            Refusal::Version { yours: 1, mine: 2 },
            Refusal::Codec { yours: 1, mine: 2 },
            Refusal::Other(Reason::StaleLink),
            Refusal::Other(names.clone()),
        ] {
            let mut bytes = Vec::new();
            refusal.encode(&mut bytes).unwrap();
            assert_eq!(Refusal::decode(&bytes).unwrap(), refusal);
        }
        let dialler = Refusal::from(names.clone()).at_dialler().to_string();
        assert!(dialler.contains("cluster `bank`, the other to `shop`"), "{dialler}");
        let acceptor = Refusal::from(names).at_acceptor().to_string();
        assert!(acceptor.contains("cluster `shop`, the other to `bank`"), "{acceptor}");
    }

    #[test]
    fn bytes_that_are_no_refusal_are_an_error() {
        for bytes in [&[][..], &[9], &[0, 1], &[2, 255, 255]] {
            assert!(Refusal::decode(bytes).is_err());
        }
    }
}
