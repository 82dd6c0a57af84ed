//! How foca's headers and members become bytes, and what is noticed on the way back.

use std::sync::Arc;

use bytes::{Buf, BufMut};
use foca::Header;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::{NodeId, StableMap};
use crate::cluster::limits::KNOWN_NODES_MAX;
use crate::codec::{DecodeError, EncodeError, decode, encode};
use crate::wire::Member;

/// Encodes each item with its length (u16, big-endian) before it.
///
/// It looks at every identity before foca does: foca would declare a later life of this node down, and would take any
/// number of names.
pub(super) struct GossipCodec {
    me: Member,
    sight: Arc<Mutex<Sight>>,
}

/// What the codec saw.
#[derive(Default)]
pub(super) struct Sight {
    /// The names of the nodes that foca may know. Those that it forgot are removed by the membership task.
    pub(super) known: StableMap<NodeId, ()>,
    /// A later life of this node.
    pub(super) newer_me: Option<Member>,
    /// The nodes that the last packet said to be alive.
    pub(super) said_alive: Vec<Member>,
}

/// Why an item is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum GossipError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the packet has no room for {bytes} bytes more")]
    NoRoom { bytes: usize },
    #[error("the packet ends within an item")]
    Truncated,
    #[error("the packet names more than {KNOWN_NODES_MAX} nodes")]
    TooManyNodes,
    #[error("{newer} is a later life of this node")]
    NewerMe { newer: Member },
}

impl GossipCodec {
    pub(super) fn new(me: Member, sight: Arc<Mutex<Sight>>) -> Self {
        Self { me, sight }
    }

    fn meet(&self, member: &Member) -> Result<(), GossipError> {
        let mut sight = self.sight.lock();
        if member.id == self.me.id && member.incarnation > self.me.incarnation {
            sight.newer_me = Some(member.clone());
            return Err(GossipError::NewerMe { newer: member.clone() });
        }
        if !sight.known.contains_key(&member.id) {
            if sight.known.len() >= KNOWN_NODES_MAX {
                return Err(GossipError::TooManyNodes);
            }
            sight.known.insert(member.id.clone(), ());
        }
        Ok(())
    }
}

impl foca::Codec<Member> for GossipCodec {
    type Error = GossipError;

    fn encode_header(&mut self, header: &Header<Member>, buf: impl BufMut) -> Result<(), GossipError> {
        put(header, buf)
    }

    fn decode_header(&mut self, buf: impl Buf) -> Result<Header<Member>, GossipError> {
        let header: Header<Member> = get(buf)?;
        self.meet(&header.src)?;
        Ok(header)
    }

    fn encode_member(&mut self, member: &foca::Member<Member>, buf: impl BufMut) -> Result<(), GossipError> {
        put(member, buf)
    }

    fn decode_member(&mut self, buf: impl Buf) -> Result<foca::Member<Member>, GossipError> {
        let member: foca::Member<Member> = get(buf)?;
        self.meet(member.id())?;
        if member.state() != foca::State::Down {
            let mut sight = self.sight.lock();
            sight.said_alive.push(member.id().clone());
        }
        Ok(member)
    }
}

fn put(item: &impl Serialize, mut buf: impl BufMut) -> Result<(), GossipError> {
    let bytes = encode(item)?;
    let length = u16::try_from(bytes.len()).ok().filter(|_| bytes.len() + 2 <= buf.remaining_mut());
    buf.put_u16(length.ok_or(GossipError::NoRoom { bytes: bytes.len() })?);
    buf.put_slice(&bytes);
    Ok(())
}

fn get<T: DeserializeOwned>(mut buf: impl Buf) -> Result<T, GossipError> {
    if buf.remaining() < 2 {
        return Err(GossipError::Truncated);
    }
    let length = usize::from(buf.get_u16());
    let item = decode(buf.chunk().get(..length).ok_or(GossipError::Truncated)?)?;
    buf.advance(length);
    Ok(item)
}

#[cfg(test)]
mod tests {
    use foca::{Codec, Message};

    use super::*;
    use crate::wire::Role;

    fn member(id: &str, incarnation: u64) -> Member {
        Member::new(id.into(), incarnation, "h:1", Role::Replica)
    }

    fn codec() -> GossipCodec {
        GossipCodec::new(member("me", 3), Arc::default())
    }

    #[test]
    fn what_was_encoded_is_decoded_and_damage_is_an_error() {
        let header =
            Header { src: member("a", 1), src_incarnation: 0, dst: member("me", 3), message: Message::<Member>::Feed };
        let mut bytes = Vec::new();
        codec().encode_header(&header, &mut bytes).unwrap();
        codec().encode_member(&foca::Member::alive(member("b", 1)), &mut bytes).unwrap();
        let mut rest = &bytes[..];
        assert_eq!(codec().decode_header(&mut rest).unwrap(), header);
        assert_eq!(codec().decode_member(&mut rest).unwrap().id(), &member("b", 1));
        assert!(rest.is_empty());
        for end in 0..header_bytes(&bytes) {
            assert!(codec().decode_header(&bytes[..end]).is_err());
        }
    }

    fn header_bytes(bytes: &[u8]) -> usize {
        2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    #[test]
    fn an_item_that_does_not_fit_leaves_nothing_behind() {
        let mut small = Vec::new();
        let error = codec().encode_member(&foca::Member::alive(member("b", 1)), (&mut small).limit(5));
        assert!(matches!(error, Err(GossipError::NoRoom { .. })) && small.is_empty());
    }

    #[test]
    fn a_later_life_of_this_node_is_noticed() {
        let mut bytes = Vec::new();
        codec().encode_member(&foca::Member::alive(member("me", 4)), &mut bytes).unwrap();
        let mut codec = codec();
        assert!(matches!(codec.decode_member(&bytes[..]), Err(GossipError::NewerMe { .. })));
        assert_eq!(codec.sight.lock().newer_me, Some(member("me", 4)));
    }

    #[test]
    fn the_names_that_are_taken_are_bounded() {
        let codec = codec();
        let taken = (0..2 * KNOWN_NODES_MAX).filter(|n| codec.meet(&member(&n.to_string(), 1)).is_ok()).count();
        assert_eq!(taken, KNOWN_NODES_MAX);
    }
}
