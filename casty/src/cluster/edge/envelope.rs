//! What stands before a frame on its way between a client and a node. Numbers are little-endian.

use bytes::{Buf, Bytes};

use super::{may_be_relayed, may_pass};
use crate::base::NodeKey;
use crate::wire::Kind;

/// A frame between a client and the node that it is connected to: whom it is for, or from (u64), its kind (u8), its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) peer: NodeKey,
    pub(crate) kind: Kind,
    pub(crate) body: Bytes,
}

/// A frame of a client, or for one, between its node and another: the client (u64), the number of its connection (u64), which
/// way it goes (u8), its kind (u8), its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relayed {
    pub(crate) client: NodeKey,
    pub(crate) nonce: u64,
    pub(crate) inward: bool,
    pub(crate) kind: Kind,
    pub(crate) body: Bytes,
}

const ENVELOPE_BYTES: usize = size_of::<u64>() + 1;
const RELAYED_BYTES: usize = 2 * size_of::<u64>() + 2;

impl Envelope {
    /// Appends an envelope, whose body `encode` appends.
    pub(crate) fn write(peer: NodeKey, kind: Kind, out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
        out.extend_from_slice(&peer.0.to_le_bytes());
        out.push(kind.0);
        encode(out);
    }

    /// Reads what [`write`](Self::write) wrote, if a frame of this kind may pass. The body is not copied.
    pub(crate) fn read(mut bytes: Bytes) -> Option<Self> {
        if bytes.len() < ENVELOPE_BYTES {
            return None;
        }
        let (peer, kind) = (NodeKey(bytes.get_u64_le()), Kind(bytes.get_u8()));
        may_pass(kind).then_some(Self { peer, kind, body: bytes })
    }
}

impl Relayed {
    /// Appends what stands before a relayed frame, and its body with `encode`.
    pub(crate) fn write(
        (client, nonce): (NodeKey, u64),
        inward: bool,
        kind: Kind,
        out: &mut Vec<u8>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        out.extend_from_slice(&client.0.to_le_bytes());
        out.extend_from_slice(&nonce.to_le_bytes());
        out.extend_from_slice(&[u8::from(inward), kind.0]);
        encode(out);
    }

    /// Reads what [`write`](Self::write) wrote, if a frame of this kind may be relayed. The body is not copied.
    pub(crate) fn read(mut bytes: Bytes) -> Option<Self> {
        if bytes.len() < RELAYED_BYTES {
            return None;
        }
        let (client, nonce) = (NodeKey(bytes.get_u64_le()), bytes.get_u64_le());
        let inward = match bytes.get_u8() {
            0 => false,
            1 => true,
            _ => return None,
        };
        let kind = Kind(bytes.get_u8());
        may_be_relayed(kind).then_some(Self { client, nonce, inward, kind, body: bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        Envelope::write(NodeKey(7), Kind::CALL, &mut out, |out| out.extend_from_slice(b"hello"));
        let body = Bytes::from_static(b"hello");
        let expected = Envelope { peer: NodeKey(7), kind: Kind::CALL, body: body.clone() };
        assert_eq!(Envelope::read(out.into()), Some(expected));
        for inward in [true, false] {
            let mut out = Vec::new();
            Relayed::write((NodeKey(7), 3), inward, Kind::CALL, &mut out, |out| out.extend_from_slice(b"hello"));
            let expected = Relayed { client: NodeKey(7), nonce: 3, inward, kind: Kind::CALL, body: body.clone() };
            assert_eq!(Relayed::read(out.into()), Some(expected));
        }
    }

    #[test]
    fn what_is_too_short_is_none() {
        assert_eq!(Envelope::read(Bytes::from_static(&[0; ENVELOPE_BYTES - 1])), None);
        assert_eq!(Relayed::read(Bytes::from_static(&[0; RELAYED_BYTES - 1])), None);
        assert_eq!(Relayed::read(Bytes::from_static(&[2; RELAYED_BYTES])), None, "there are two ways");
    }
}
