//! Which requests are answered, and how. It changes by applied log entries only, so every replica knows the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{NodeKey, RequestId, SessionId, StableMap};

/// The answers of one group's sessions that their origins may still ask for.
///
/// A session keeps the floor below which all is answered, and a reply for every recorded sequence above it; never just a
/// highest sequence, since the commits of different entities finish out of order.
#[derive(Debug)]
pub(crate) struct SessionTable<R = Recorded> {
    sessions: StableMap<SessionId, Session<R>>,
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

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session<R> {
    floor: u64,
    replies: BTreeMap<u64, R>,
    /// What the replies take.
    #[serde(skip)]
    bytes: usize,
}

/// An answer that a table keeps.
pub(crate) trait Kept: Clone {
    /// How many bytes it has.
    fn bytes(&self) -> usize;
}

/// A recorded answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Recorded {
    /// What the handler returned, encoded.
    Value(Bytes),
    /// The handler panicked.
    Failed,
}

impl Kept for Recorded {
    fn bytes(&self) -> usize {
        if let Self::Value(bytes) = self { bytes.len() } else { 0 }
    }
}

/// What a reply takes.
fn cost(reply: &impl Kept) -> usize {
    /// Its place in the tree.
    const OVERHEAD_BYTES: usize = 48;
    OVERHEAD_BYTES + reply.bytes()
}

impl<R: Kept> SessionTable<R> {
    /// The recorded answer to a request, if it has one that its origin has not confirmed.
    pub(crate) fn recorded(&self, id: RequestId) -> Option<&R> {
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
    pub(crate) fn record(&mut self, id: RequestId, floor: u64, reply: R) {
        let session = self.sessions.entry(id.session).or_default();
        self.bytes -= session.bytes;
        session.confirm(floor);
        session.put(id.sequence, reply);
        self.bytes += session.bytes;
    }

    /// Has answers replaced by what `shortened` makes of them until all take `max` bytes at most: always the oldest of the
    /// session that takes most, so that who asks for little loses nothing to who asks for much. What goes follows from the
    /// table alone: it is the same on every replica.
    pub(crate) fn shrink(&mut self, max: usize, shortened: impl Fn(&R) -> Option<R>) {
        while self.bytes > max {
            let largest = self.sessions.iter_mut().max_by_key(|(id, session)| (session.bytes, **id));
            let Some((_, session)) = largest else { return };
            let mut oldest = session.replies.iter();
            let Some((sequence, short)) = oldest.find_map(|(sequence, reply)| Some((*sequence, shortened(reply)?)))
            else {
                return;
            };
            self.bytes -= session.bytes;
            session.put(sequence, short);
            self.bytes += session.bytes;
        }
    }

    /// Lets go of the answers below these floors, of the sessions of origins that are refused elsewhere, and of those that have
    /// no answer.
    pub(crate) fn prune(&mut self, floor: impl Fn(SessionId) -> Option<u64>, refused: impl Fn(NodeKey) -> bool) {
        let bytes = &mut self.bytes;
        self.sessions.retain(|id, session| {
            *bytes -= session.bytes;
            session.confirm(floor(*id).unwrap_or_default());
            let keep = !session.replies.is_empty() && !refused(id.origin);
            if keep {
                *bytes += session.bytes;
            }
            keep
        });
    }

    /// Drops the sessions of an origin that is gone, and refuses it from now on.
    pub(crate) fn expire(&mut self, origin: NodeKey) {
        self.expired.insert(origin);
        let bytes = &mut self.bytes;
        self.sessions.retain(|id, session| {
            let keep = id.origin != origin;
            if !keep {
                *bytes -= session.bytes;
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
    pub(super) fn to_parts(&self) -> Parts<R> {
        let mut sessions: Vec<_> = self.sessions.iter().map(|(id, session)| (*id, session.clone())).collect();
        sessions.sort_by_key(|(id, _)| *id);
        Parts { sessions, expired: self.expired.order.iter().copied().collect() }
    }

    /// The table that a snapshot holds.
    pub(super) fn from_parts(parts: Parts<R>) -> Self {
        let mut sessions: StableMap<_, Session<R>> = parts.sessions.into_iter().collect();
        for session in sessions.values_mut() {
            session.bytes = session.replies.values().map(cost).sum();
        }
        let bytes = sessions.values().map(|session| session.bytes).sum();
        let mut expired = Expired::default();
        parts.expired.into_iter().for_each(|origin| expired.insert(origin));
        Self { sessions, expired, bytes }
    }
}

impl<R: Kept> Session<R> {
    /// All below `floor` is answered: lets go of it.
    fn confirm(&mut self, floor: u64) {
        if floor > self.floor {
            self.floor = floor;
            let kept = self.replies.split_off(&floor);
            let gone = std::mem::replace(&mut self.replies, kept);
            self.bytes -= gone.values().map(cost).sum::<usize>();
        }
    }

    fn put(&mut self, sequence: u64, reply: R) {
        self.bytes += cost(&reply);
        if let Some(old) = self.replies.insert(sequence, reply) {
            self.bytes -= cost(&old);
        }
    }
}

impl<R> Default for SessionTable<R> {
    fn default() -> Self {
        Self { sessions: StableMap::default(), expired: Expired::default(), bytes: 0 }
    }
}

impl<R> Default for Session<R> {
    fn default() -> Self {
        Self { floor: 0, replies: BTreeMap::new(), bytes: 0 }
    }
}

impl<R: Kept + Serialize> Serialize for SessionTable<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_parts().serialize(serializer)
    }
}

impl<'de, R: Kept + Deserialize<'de>> Deserialize<'de> for SessionTable<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Parts::deserialize(deserializer).map(Self::from_parts)
    }
}

/// A [`SessionTable`] as a snapshot holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct Parts<R = Recorded> {
    sessions: Vec<(SessionId, Session<R>)>,
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
        assert_eq!(table.bytes(), cost(&value(0)));
        table.expire(NodeKey(1));
        assert_eq!((table.bytes(), table.len()), (0, 0));
    }

    #[test]
    fn the_memory_of_expired_origins_is_bounded_and_the_same_after_a_snapshot() {
        let mut table = SessionTable::<Recorded>::default();
        (0..=EXPIRED_MAX as u64).for_each(|origin| table.expire(NodeKey(origin)));
        let mut copy = SessionTable::from_parts(table.to_parts());
        for table in [&mut table, &mut copy] {
            assert_eq!((table.is_expired(NodeKey(0)), table.is_expired(NodeKey(1))), (false, true));
            table.expire(NodeKey(u64::MAX));
            assert_eq!((table.is_expired(NodeKey(1)), table.is_expired(NodeKey(2))), (false, true));
        }
    }

    #[test]
    fn the_session_that_takes_most_gives_its_oldest_answers_up_and_no_other() {
        let of = |origin: u64, sequence| RequestId {
            session: SessionId { origin: NodeKey(origin), ..request(0).session },
            sequence,
        };
        let large = || Recorded::Value(Bytes::from(vec![7; 1_000]));
        let mut table = SessionTable::default();
        table.record(of(1, 0), 0, large());
        (0..4).for_each(|sequence| table.record(of(2, sequence), 0, large()));
        let short = |reply: &Recorded| (reply.bytes() > 0).then_some(Recorded::Failed);
        let mut restored = SessionTable::<Recorded>::from_parts(table.to_parts());
        for table in [&mut table, &mut restored] {
            table.shrink(3 * cost(&large()) + 2 * cost(&Recorded::Failed), short);
            let kept = |origin, sequence| table.recorded(of(origin, sequence)) == Some(&large());
            assert_eq!([0, 1, 2, 3].map(|sequence| kept(2, sequence)), [false, false, true, true]);
            assert!(kept(1, 0), "who asked for little loses nothing");
            assert!(!table.admits(of(2, 0)), "what was let go of is answered all the same");
        }
        table.shrink(0, short);
        assert_eq!(table.bytes(), 5 * cost(&Recorded::Failed), "nothing is left to shorten");
        table.record(of(2, 4), 4, Recorded::Failed);
        table.record(of(1, 1), 1, Recorded::Failed);
        assert_eq!(table.bytes(), 2 * cost(&Recorded::Failed));
    }

    #[test]
    fn an_expired_origin_is_refused_also_after_a_snapshot() {
        let mut table = SessionTable::<Recorded>::default();
        table.expire(NodeKey(1));
        assert!(!table.admits(request(0)));
        let table = SessionTable::from_parts(table.to_parts());
        assert!(!table.admits(request(0)));
    }
}
