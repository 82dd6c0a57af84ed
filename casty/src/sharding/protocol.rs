//! What routers and regions say to each other.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::actor::Access;
use crate::base::{EntityId, GroupId, NodeKey, SessionId};
use crate::codec::{DecodeError, decode_prefix, encode_into};
use crate::raft::LeaderId;

/// A router's word to the region of a group.
#[derive(Clone, Debug)]
pub(crate) struct ToRegion {
    pub(crate) group: GroupId,
    pub(crate) session: SessionId,
    /// Which opening of the session it belongs to. A later opening has a higher counter.
    pub(crate) counter: u64,
    pub(crate) what: Call,
}

/// What a [`ToRegion`] asks for.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// Begin, or begin again: the next sequence is `first`; from `fresh` on nothing was ever sent before.
    Open { leader: LeaderId, epoch: u64, first: u64, fresh: u64 },
    /// Handle a message.
    Request(Request),
    /// The request with this sequence is answered or given up: never run it.
    Skip { sequence: u64 },
}

/// A message to an entity.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) sequence: u64,
    /// All sequences below are answered.
    pub(crate) floor: u64,
    pub(crate) entity: EntityId,
    pub(crate) tag: u32,
    pub(crate) access: Access,
    pub(crate) body: Bytes,
}

#[derive(Serialize, Deserialize)]
struct RegionHeader<'a> {
    group: GroupId,
    session: SessionId,
    counter: u64,
    #[serde(borrow)]
    what: CallHeader<'a>,
}

#[derive(Serialize, Deserialize)]
enum CallHeader<'a> {
    Open { leader: LeaderId, epoch: u64, first: u64, fresh: u64 },
    Request { sequence: u64, floor: u64, entity: &'a str, tag: u32, read: bool },
    Skip { sequence: u64 },
}

impl ToRegion {
    /// Appends the frame's body to `out`. A request's message stands at its end, as it is.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (what, body) = match &self.what {
            &Call::Open { leader, epoch, first, fresh } => (CallHeader::Open { leader, epoch, first, fresh }, None),
            &Call::Skip { sequence } => (CallHeader::Skip { sequence }, None),
            Call::Request(Request { sequence, floor, entity, tag, access, body }) => {
                let read = *access == Access::Read;
                let entity = entity.as_str();
                (CallHeader::Request { sequence: *sequence, floor: *floor, entity, tag: *tag, read }, Some(body))
            }
        };
        let header = RegionHeader { group: self.group, session: self.session, counter: self.counter, what };
        append(&header, out);
        out.extend_from_slice(body.map_or(&[], |body| body));
    }
}

/// Reads what [`ToRegion::encode`] wrote.
pub(crate) fn decode_to_region(bytes: &Bytes) -> Result<ToRegion, DecodeError> {
    let (header, used): (RegionHeader<'_>, usize) = decode_prefix(bytes)?;
    if used != bytes.len() && !matches!(header.what, CallHeader::Request { .. }) {
        return Err(DecodeError::Trailing { of: "sharding::ToRegion", used, bytes: bytes.len() });
    }
    let what = match header.what {
        CallHeader::Open { leader, epoch, first, fresh } => Call::Open { leader, epoch, first, fresh },
        CallHeader::Skip { sequence } => Call::Skip { sequence },
        CallHeader::Request { sequence, floor, entity, tag, read } => {
            let access = if read { Access::Read } else { Access::Write };
            Call::Request(Request { sequence, floor, entity: entity.into(), tag, access, body: bytes.slice(used..) })
        }
    };
    Ok(ToRegion { group: header.group, session: header.session, counter: header.counter, what })
}

/// The words of one frame stay below this, by [`ToRouter::bytes`]; a longer word has a frame of its own.
pub(crate) const WORDS_BYTES_MAX: usize = 1 << 20;

/// What a word counts at least.
const WORD_BYTES: usize = 48;

/// The most words of one frame: without it, the shortest ones would take some thirty times the bytes that they came in.
const WORDS_MAX: usize = WORDS_BYTES_MAX / WORD_BYTES;

/// A region's word to a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ToRouter {
    /// The end of a request that came under `counter`.
    Answer { session: SessionId, counter: u64, sequence: u64, outcome: Outcome },
    /// The session is not open here under this counter: open it again.
    Reopen { session: SessionId, counter: u64 },
    /// The group has no open region here; the last one was `epoch`.
    Closed { epoch: u64 },
    /// The cluster has expired this origin: go on under a new one.
    Expired { origin: NodeKey },
}

impl ToRouter {
    /// Roughly how many bytes it takes in a frame.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Answer { outcome: Outcome::Value(value), .. } => WORD_BYTES + value.len(),
            Self::Answer { outcome: Outcome::Unavailable(reason) | Outcome::Unknown(reason), .. } => {
                WORD_BYTES + reason.len()
            }
            _ => WORD_BYTES,
        }
    }
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What the handler returned, encoded.
    Value(Bytes),
    /// The handler panicked.
    Failed,
    /// The entity's mailbox has no room; nothing was applied.
    Full,
    /// It cannot be handled here, for this reason; nothing was applied.
    Unavailable(String),
    /// What it did may be kept or not, for this reason.
    Unknown(String),
}

#[derive(Serialize, Deserialize)]
enum RouterItem<'a> {
    Answer {
        session: SessionId,
        counter: u64,
        sequence: u64,
        #[serde(borrow)]
        outcome: OutcomeItem<'a>,
    },
    Reopen {
        session: SessionId,
        counter: u64,
    },
    Closed {
        epoch: u64,
    },
    Expired {
        origin: NodeKey,
    },
}

#[derive(Serialize, Deserialize)]
enum OutcomeItem<'a> {
    Value(&'a [u8]),
    Failed,
    Full,
    Unavailable(&'a str),
    Unknown(&'a str),
}

/// Appends a frame's body with several words of one group's region.
pub(crate) fn encode_to_router(group: GroupId, words: &[ToRouter], out: &mut Vec<u8>) {
    append(&group, out);
    for word in words {
        let item = match word {
            &ToRouter::Reopen { session, counter } => RouterItem::Reopen { session, counter },
            &ToRouter::Closed { epoch } => RouterItem::Closed { epoch },
            &ToRouter::Expired { origin } => RouterItem::Expired { origin },
            ToRouter::Answer { session, counter, sequence, outcome } => {
                let outcome = match outcome {
                    Outcome::Value(bytes) => OutcomeItem::Value(bytes),
                    Outcome::Failed => OutcomeItem::Failed,
                    Outcome::Full => OutcomeItem::Full,
                    Outcome::Unavailable(reason) => OutcomeItem::Unavailable(reason),
                    Outcome::Unknown(reason) => OutcomeItem::Unknown(reason),
                };
                RouterItem::Answer { session: *session, counter: *counter, sequence: *sequence, outcome }
            }
        };
        append(&item, out);
    }
}

/// Reads what [`encode_to_router`] wrote.
pub(crate) fn decode_to_router(bytes: &Bytes) -> Result<(GroupId, Vec<ToRouter>), DecodeError> {
    let (group, mut at): (GroupId, usize) = decode_prefix(bytes)?;
    let mut words = Vec::new();
    while at < bytes.len() {
        if words.len() == WORDS_MAX {
            return Err(DecodeError::Trailing { of: "sharding::ToRouter", used: at, bytes: bytes.len() });
        }
        let (item, used): (RouterItem<'_>, usize) = decode_prefix(&bytes[at..])?;
        at += used;
        words.push(match item {
            RouterItem::Reopen { session, counter } => ToRouter::Reopen { session, counter },
            RouterItem::Closed { epoch } => ToRouter::Closed { epoch },
            RouterItem::Expired { origin } => ToRouter::Expired { origin },
            RouterItem::Answer { session, counter, sequence, outcome } => {
                let outcome = match outcome {
                    OutcomeItem::Value(value) => Outcome::Value(bytes.slice_ref(value)),
                    OutcomeItem::Failed => Outcome::Failed,
                    OutcomeItem::Full => Outcome::Full,
                    OutcomeItem::Unavailable(reason) => Outcome::Unavailable(reason.to_owned()),
                    OutcomeItem::Unknown(reason) => Outcome::Unknown(reason.to_owned()),
                };
                ToRouter::Answer { session, counter, sequence, outcome }
            }
        });
    }
    Ok((group, words))
}

/// A region's announcement that it is open, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leading {
    pub(crate) group: GroupId,
    pub(crate) leader: LeaderId,
    /// How often the region of this group was opened on that node.
    pub(crate) epoch: u64,
    pub(crate) open: bool,
}

/// What nodes tell each other about the way of requests: when it changes, when a link comes up, and once a second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Announcement {
    /// The cluster that the sender belongs to.
    pub(crate) cluster_id: Option<u64>,
    pub(crate) origin: Option<NodeKey>,
    pub(crate) leading: Vec<Leading>,
    /// The sender's program lacks an entity type of the cluster, or its disk has no room: it is better led by others.
    pub(crate) unfit: bool,
    /// The origins of the clients that are connected to the sender.
    pub(crate) clients: Vec<NodeKey>,
}

/// Appends a value of ours. They are plain data, which the codec always takes.
pub(crate) fn append<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let written = encode_into(value, out);
    assert!(written.is_ok(), "the codec refused a frame of the framework: {written:?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionId {
        SessionId { origin: NodeKey(1), entity_type: 2, shard: 3 }
    }

    #[test]
    fn a_request_keeps_its_message_to_the_last_byte() {
        let request = Request {
            sequence: 5,
            floor: 4,
            entity: "alice".into(),
            tag: 6,
            access: Access::Write,
            body: Bytes::from_static(b"message"),
        };
        let frame = ToRegion { group: GroupId(3), session: session(), counter: 9, what: Call::Request(request) };
        let mut out = Vec::new();
        frame.encode(&mut out);
        let read = decode_to_region(&out.into()).unwrap();
        let Call::Request(request) = read.what else { panic!("not a request") };
        assert_eq!((read.group, read.session, read.counter), (GroupId(3), session(), 9));
        assert_eq!(
            (request.entity.as_str(), &request.body[..], request.access),
            ("alice", &b"message"[..], Access::Write)
        );
    }

    #[test]
    fn words_to_a_router_read_back() {
        let words = vec![
            ToRouter::Answer {
                session: session(),
                counter: 3,
                sequence: 1,
                outcome: Outcome::Value(Bytes::from_static(b"v")),
            },
            ToRouter::Answer {
                session: session(),
                counter: 3,
                sequence: 2,
                outcome: Outcome::Unavailable("why".into()),
            },
            ToRouter::Answer { session: session(), counter: 3, sequence: 3, outcome: Outcome::Unknown("why".into()) },
            ToRouter::Reopen { session: session(), counter: 3 },
            ToRouter::Closed { epoch: 4 },
        ];
        let mut out = Vec::new();
        encode_to_router(GroupId(7), &words, &mut out);
        assert_eq!(decode_to_router(&out.into()).unwrap(), (GroupId(7), words));
    }

    #[test]
    fn rubbish_is_an_error() {
        assert!(decode_to_region(&Bytes::from_static(b"\xff\xff")).is_err());
        assert!(decode_to_router(&Bytes::from_static(b"\x01\x09")).is_err());
    }

    #[test]
    fn a_frame_of_more_words_than_any_region_sends_is_refused() {
        let frame = |words: usize| {
            let mut out = Vec::new();
            encode_to_router(GroupId(7), &vec![ToRouter::Closed { epoch: 4 }; words], &mut out);
            decode_to_router(&out.into()).map(|(_, words)| words.len())
        };
        assert_eq!(frame(WORDS_MAX), Ok(WORDS_MAX));
        assert!(frame(WORDS_MAX + 1).is_err());
    }

    #[test]
    fn a_word_to_a_region_ends_where_its_frame_ends_unless_it_carries_a_message() {
        let leader = LeaderId { term: 1, node: NodeKey(2) };
        for what in [Call::Skip { sequence: 5 }, Call::Open { leader, epoch: 1, first: 2, fresh: 3 }] {
            let frame = ToRegion { group: GroupId(3), session: session(), counter: 9, what };
            let mut out = Vec::new();
            frame.encode(&mut out);
            assert!(decode_to_region(&out.clone().into()).is_ok());
            out.push(0);
            assert!(matches!(decode_to_region(&out.into()), Err(DecodeError::Trailing { .. })));
        }
    }
}
