//! Which requests are answered, and how. It changes by applied log entries only, so every replica knows the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{NodeKey, RequestId, SessionId, StableMap};

/// The answers of one group's sessions that their origins may still ask for.
///
/// A session keeps the floor below which all is answered, and a reply for every recorded sequence above it; never just a
/// highest sequence, since the commits of different entities finish out of order.
#[derive(Default, Debug)]
pub(crate) struct SessionTable {
    sessions: StableMap<SessionId, Session>,
    expired: Expired,
    bytes: usize,
}

/// So many origins are refused that are gone. Each was nobody's for a minute before it got here, and frames are under way for
/// seconds: what comes of one that is forgotten again, after so many others, was sent by nobody.
const EXPIRED_MAX: usize = 65_536;

/// The origins that are refused.
#[derive(Default, Debug)]
struct Expired {
    origins: BTreeSet<NodeKey>,
    /// The oldest first.
    order: VecDeque<NodeKey>,
}

impl Expired {
    fn insert(&mut self, origin: NodeKey) {
        if !self.origins.insert(origin) {
            return;
        }
        self.order.push_back(origin);
        if self.order.len() > EXPIRED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.origins.remove(&oldest);
        }
    }
}

#[derive(Default, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    floor: u64,
    replies: BTreeMap<u64, Recorded>,
}

/// A recorded answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Recorded {
    /// What the handler returned, encoded.
    Value(Bytes),
    /// The handler panicked.
    Failed,
}

impl Recorded {
    fn bytes(&self) -> usize {
        /// What a reply costs beside its bytes: its place in the tree.
        const OVERHEAD_BYTES: usize = 48;
        OVERHEAD_BYTES + if let Self::Value(bytes) = self { bytes.len() } else { 0 }
    }
}

impl SessionTable {
    /// The recorded answer to a request, if it has one that its origin has not confirmed.
    pub(crate) fn recorded(&self, id: RequestId) -> Option<&Recorded> {
        self.sessions.get(&id.session)?.replies.get(&id.sequence)
    }

    /// Whether a request may still be recorded: not answered, not behind the floor, its origin not expired.
    pub(crate) fn admits(&self, id: RequestId) -> bool {
        !self.is_expired(id.session.origin)
            && self
                .sessions
                .get(&id.session)
                .is_none_or(|session| id.sequence >= session.floor && !session.replies.contains_key(&id.sequence))
    }

    /// Records an answer, and lets go of what `floor` says is answered.
    pub(crate) fn record(&mut self, id: RequestId, floor: u64, reply: Recorded) {
        let session = self.sessions.entry(id.session).or_default();
        if floor > session.floor {
            session.floor = floor;
            let kept = session.replies.split_off(&floor);
            let gone = std::mem::replace(&mut session.replies, kept);
            self.bytes -= gone.values().map(Recorded::bytes).sum::<usize>();
        }
        self.bytes += reply.bytes();
        if let Some(old) = session.replies.insert(id.sequence, reply) {
            self.bytes -= old.bytes();
        }
    }

    /// Drops the sessions of an origin that is gone, and refuses it from now on.
    pub(crate) fn expire(&mut self, origin: NodeKey) {
        self.expired.insert(origin);
        let bytes = &mut self.bytes;
        self.sessions.retain(|id, session| {
            let keep = id.origin != origin;
            if !keep {
                *bytes -= session.replies.values().map(Recorded::bytes).sum::<usize>();
            }
            keep
        });
    }

    /// Whether an origin is refused.
    pub(crate) fn is_expired(&self, origin: NodeKey) -> bool {
        self.expired.origins.contains(&origin)
    }

    /// Whether there is a session of this id.
    pub(crate) fn has(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// The origins that have sessions.
    pub(crate) fn origins(&self) -> BTreeSet<NodeKey> {
        self.sessions.keys().map(|session| session.origin).collect()
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Roughly how many bytes the kept replies take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of it, in a fixed order, for a snapshot.
    pub(super) fn to_parts(&self) -> Parts {
        let mut sessions: Vec<_> = self.sessions.iter().map(|(id, session)| (*id, session.clone())).collect();
        sessions.sort_by_key(|(id, _)| *id);
        Parts { sessions, expired: self.expired.order.iter().copied().collect() }
    }

    /// The table that a snapshot holds.
    pub(super) fn from_parts(parts: Parts) -> Self {
        let bytes = parts.sessions.iter().flat_map(|(_, session)| session.replies.values()).map(Recorded::bytes).sum();
        let mut expired = Expired::default();
        parts.expired.into_iter().for_each(|origin| expired.insert(origin));
        Self { sessions: parts.sessions.into_iter().collect(), expired, bytes }
    }
}

impl Serialize for SessionTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_parts().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SessionTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Parts::deserialize(deserializer).map(Self::from_parts)
    }
}

/// A [`SessionTable`] as a snapshot holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct Parts {
    sessions: Vec<(SessionId, Session)>,
    expired: Vec<NodeKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(sequence: u64) -> RequestId {
        RequestId { session: SessionId { origin: NodeKey(1), entity_type: 2, shard: 3 }, sequence }
    }

    fn value(byte: u8) -> Recorded {
        Recorded::Value(Bytes::from(vec![byte]))
    }

    #[test]
    fn answers_out_of_order_are_all_kept_until_the_floor_passes_them() {
        let mut table = SessionTable::default();
        table.record(request(5), 0, value(5));
        table.record(request(3), 0, value(3));
        assert!(table.admits(request(4)), "a gap below the highest answer is not answered");
        assert!(!table.admits(request(3)) && !table.admits(request(5)));
        table.record(request(6), 4, value(6));
        assert_eq!(table.recorded(request(3)), None);
        assert!(!table.admits(request(3)), "what is behind the floor never runs again");
        assert_eq!(table.recorded(request(5)), Some(&value(5)));
    }

    #[test]
    fn bytes_are_given_back() {
        let mut table = SessionTable::default();
        for sequence in 0..100 {
            table.record(request(sequence), sequence, value(0));
        }
        assert_eq!(table.bytes(), value(0).bytes());
        table.expire(NodeKey(1));
        assert_eq!((table.bytes(), table.len()), (0, 0));
    }

    #[test]
    fn the_memory_of_expired_origins_is_bounded_and_the_same_after_a_snapshot() {
        let mut table = SessionTable::default();
        (0..=EXPIRED_MAX as u64).for_each(|origin| table.expire(NodeKey(origin)));
        let mut copy = SessionTable::from_parts(table.to_parts());
        for table in [&mut table, &mut copy] {
            assert_eq!((table.is_expired(NodeKey(0)), table.is_expired(NodeKey(1))), (false, true));
            table.expire(NodeKey(u64::MAX));
            assert_eq!((table.is_expired(NodeKey(1)), table.is_expired(NodeKey(2))), (false, true));
        }
    }

    #[test]
    fn an_expired_origin_is_refused() {
        let mut table = SessionTable::default();
        table.expire(NodeKey(1));
        assert!(!table.admits(request(0)));
        let table = SessionTable::from_parts(table.to_parts());
        assert!(!table.admits(request(0)));
    }
}
