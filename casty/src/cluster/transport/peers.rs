//! Whom this node keeps a link with, and why. A table without I/O: it says what is to be done, others do it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::handshake::{Greeted, Guest, Reader, Writer};
use crate::base::{NodeKey, StableMap};
use crate::cluster::limits::PEERS_MAX;
use crate::wire::{Member, Reason, Terms};

/// A link with a peer that was introduced is tried for so long, if nothing else speaks for it.
pub(super) const INTRODUCED_FOR: Duration = Duration::from_secs(5);

const TOO_MANY: Reason = Reason::TooManyPeers { max: PEERS_MAX as u32 };

/// The peers that this node knows.
pub(crate) struct PeerTable {
    me: Member,
    /// The end of all that is admitted.
    stop: CancellationToken,
    peers: StableMap<NodeKey, Peer>,
}

/// A link that was let in.
pub(super) struct Admitted {
    /// Ends the link.
    pub(super) cut: CancellationToken,
    /// To be cancelled when the link has ended.
    pub(super) ended: CancellationToken,
    /// The link that this one replaces. It must have ended before this one begins.
    pub(super) before: Option<Incoming>,
    /// Where the connection of the bulk lane comes from, in its time.
    pub(super) bulk: oneshot::Receiver<Connection>,
}

/// A connection whose handshake is done.
pub(super) struct Connection {
    pub(super) terms: Terms,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

impl From<Greeted> for Connection {
    fn from(Greeted { terms, reader, writer, .. }: Greeted) -> Self {
        Self { terms, reader, writer }
    }
}

impl From<Guest> for Connection {
    fn from(guest: Guest) -> Self {
        Self { terms: guest.terms(), reader: guest.reader, writer: guest.writer }
    }
}

/// A link that a peer dialled: how to end it, and how to see that it has ended.
pub(super) struct Incoming {
    nonce: u64,
    /// Where the connection of the bulk lane goes to, until it has come.
    bulk: Option<oneshot::Sender<Connection>>,
    pub(super) cut: CancellationToken,
    pub(super) ended: CancellationToken,
}

/// Whom a link is wanted with.
pub(super) struct Target {
    pub(super) member: Member,
    /// Whether this node is the one of the two that dials. Otherwise it has to be dialled.
    pub(super) dials: bool,
    /// A reason to try at once.
    pub(super) wake: Arc<Notify>,
    /// Ends the link that this node dialled.
    pub(super) cut: CancellationToken,
}

struct Peer {
    member: Member,
    alive: bool,
    introduced_until: Option<Instant>,
    incoming: Option<Incoming>,
    kept: bool,
    wake: Arc<Notify>,
    cut: CancellationToken,
}

impl PeerTable {
    /// The links end with `stop`.
    pub(crate) fn new(me: Member, stop: CancellationToken) -> Self {
        Self { me, stop, peers: StableMap::default() }
    }

    /// A seed named this peer, or it asked who is here.
    pub(crate) fn introduce(&mut self, member: Member, now: Instant) {
        if let Some(peer) = self.entry(member) {
            peer.introduced_until = Some(now + INTRODUCED_FOR);
            peer.wake.notify_one();
        }
    }

    /// Of two nodes the one with the smaller key dials.
    pub(super) fn dials(&self, peer: NodeKey) -> bool {
        self.me.key < peer
    }

    /// These and no others are believed to be alive. Links with earlier lives of them are ended: such a process would
    /// not learn otherwise that it was replaced.
    pub(crate) fn set_alive(&mut self, alive: &[Member]) {
        for peer in self.peers.values_mut() {
            peer.alive = false;
        }
        for member in alive {
            if let Some(peer) = self.entry(member.clone()) {
                peer.alive = true;
            }
        }
        for peer in self.peers.values().filter(|peer| !peer.alive) {
            let replaced = |new: &Member| new.id == peer.member.id && new.incarnation > peer.member.incarnation;
            if alive.iter().any(replaced) {
                peer.cut.cancel();
                peer.incoming.iter().for_each(|incoming| incoming.cut.cancel());
            }
        }
        self.forget_idle();
    }

    /// A peer asks for a new link with this node.
    pub(super) fn admit(&mut self, member: Member, nonce: u64) -> Result<Admitted, Reason> {
        self.check_link(&member, nonce)?;
        let (cut, ended) = (self.stop.child_token(), CancellationToken::new());
        let peer = self.entry(member).ok_or(TOO_MANY)?;
        let (come, bulk) = oneshot::channel();
        let incoming = Incoming { nonce, bulk: Some(come), cut: cut.clone(), ended: ended.clone() };
        let before = peer.incoming.replace(incoming);
        Ok(Admitted { cut, ended, before, bulk })
    }

    /// A peer brings the bulk lane of the link with this nonce, which must be the one that stands, and lack it.
    pub(super) fn attach(&mut self, key: NodeKey, nonce: u64) -> Result<oneshot::Sender<Connection>, Reason> {
        let incoming = self.peers.get_mut(&key).and_then(|peer| peer.incoming.as_mut());
        let incoming = incoming.filter(|incoming| incoming.nonce == nonce);
        incoming.and_then(|incoming| incoming.bulk.take()).ok_or(Reason::StaleLink)
    }

    /// Refuses a link that could not be [admitted](Self::admit) now.
    pub(super) fn check_link(&self, member: &Member, nonce: u64) -> Result<(), Reason> {
        self.check_life(member)?;
        if self.dials(member.key) {
            return Err(Reason::WrongDialler);
        }
        match self.peers.get(&member.key) {
            None if self.peers.len() >= PEERS_MAX => Err(TOO_MANY),
            Some(Peer { incoming: Some(incoming), .. }) if nonce <= incoming.nonce => Err(Reason::StaleLink),
            _ => Ok(()),
        }
    }

    /// Refuses a life of a node of which a later one is alive.
    pub(super) fn check_life(&self, member: &Member) -> Result<(), Reason> {
        let newer =
            |peer: &&Peer| peer.alive && peer.member.id == member.id && peer.member.incarnation > member.incarnation;
        match self.peers.values().find(newer) {
            Some(peer) => {
                Err(Reason::Superseded { yours: Box::new(member.clone()), newest: Box::new(peer.member.clone()) })
            }
            None => Ok(()),
        }
    }

    /// The link with this nonce, which the peer dialled, has ended.
    pub(super) fn release(&mut self, key: NodeKey, nonce: u64) {
        if let Some(peer) = self.peers.get_mut(&key) {
            peer.incoming.take_if(|incoming| incoming.nonce == nonce);
        }
        self.forget_idle();
    }

    /// The peers with which a link is wanted, and that nobody keeps one with. They count as kept from now on.
    pub(crate) fn start_keeping(&mut self, now: Instant) -> Vec<NodeKey> {
        let needy = self.peers.iter_mut().filter(|(_, peer)| !peer.kept && peer.is_wanted(now));
        needy
            .map(|(key, peer)| {
                peer.kept = true;
                *key
            })
            .collect()
    }

    /// What whoever keeps a link with this peer does next. `None`: nobody wants it any more.
    pub(super) fn target(&mut self, key: NodeKey, now: Instant) -> Option<Target> {
        let dials = self.dials(key);
        let peer = self.peers.get_mut(&key)?;
        if peer.is_wanted(now) {
            if peer.cut.is_cancelled() {
                peer.cut = self.stop.child_token();
            }
            return Some(Target { member: peer.member.clone(), dials, wake: peer.wake.clone(), cut: peer.cut.clone() });
        }
        peer.kept = false;
        self.forget_idle();
        None
    }

    fn entry(&mut self, member: Member) -> Option<&mut Peer> {
        if member.key == self.me.key {
            return None;
        }
        let full = self.peers.len() >= PEERS_MAX;
        if full && !self.peers.contains_key(&member.key) {
            tracing::debug!(%member, known = self.peers.len(), "a peer is not taken into the table");
            return None;
        }
        let new = || Peer {
            member: member.clone(),
            alive: false,
            introduced_until: None,
            incoming: None,
            kept: false,
            wake: Arc::default(),
            cut: self.stop.child_token(),
        };
        let peer = self.peers.entry(member.key).or_insert_with(new);
        // Its life may go on at another address.
        if member.bump >= peer.member.bump {
            peer.member = member;
        }
        Some(peer)
    }

    fn forget_idle(&mut self) {
        self.peers.retain(|_, peer| peer.kept || peer.alive || peer.incoming.is_some());
    }
}

impl Peer {
    /// A link is made while the peer is a member, and for a while after it was introduced.
    fn is_wanted(&self, now: Instant) -> bool {
        self.alive || self.introduced_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Role;

    fn member(id: &str, incarnation: u64) -> Member {
        Member::new(id.into(), incarnation, "127.0.0.1:1", Role::Replica)
    }

    /// A node that all others dial.
    fn me() -> Member {
        Member { key: NodeKey(u64::MAX), ..member("me", 1) }
    }

    fn table() -> PeerTable {
        PeerTable::new(me(), CancellationToken::new())
    }

    #[test]
    fn a_link_with_a_member_is_kept_by_one_task_until_it_is_down() {
        let (mut table, now, a) = (table(), Instant::now(), member("a", 1));
        table.set_alive(&[me(), a.clone()]);
        assert_eq!(table.start_keeping(now), [a.key]);
        assert_eq!(table.start_keeping(now), []);
        assert!(table.target(a.key, now).is_some());
        table.set_alive(&[me()]);
        assert!(table.target(a.key, now).is_none());
        assert!(table.peers.is_empty());
    }

    #[test]
    fn a_link_with_an_introduced_peer_is_tried_for_a_while() {
        let (mut table, now, a) = (table(), Instant::now(), member("a", 1));
        table.introduce(a.clone(), now);
        table.introduce(me(), now);
        assert_eq!(table.start_keeping(now), [a.key]);
        assert!(table.target(a.key, now + INTRODUCED_FOR / 2).is_some());
        assert!(table.target(a.key, now + INTRODUCED_FOR).is_none());
    }

    #[test]
    fn a_life_that_goes_on_elsewhere_is_dialled_there_whatever_older_news_says() {
        let (mut table, now, a) = (table(), Instant::now(), member("a", 1));
        let moved = Member { bump: 9, addr: "127.0.0.1:2".to_owned(), ..a.clone() };
        table.set_alive(std::slice::from_ref(&a));
        table.admit(moved.clone(), 4).unwrap();
        assert_eq!(table.target(a.key, now).unwrap().member, moved);
        table.set_alive(std::slice::from_ref(&a));
        table.introduce(a.clone(), now);
        assert_eq!(table.target(a.key, now).unwrap().member, moved);
    }

    #[test]
    fn a_newer_link_replaces_the_older_and_never_the_other_way() {
        let (mut table, a) = (table(), member("a", 1));
        assert!(table.admit(a.clone(), 4).unwrap().before.is_none());
        assert!(table.admit(a.clone(), 6).unwrap().before.is_some());
        assert_eq!(table.admit(a.clone(), 5).err(), Some(Reason::StaleLink));
        table.release(a.key, 4);
        assert_eq!(table.peers.len(), 1, "link 6 still stands");
        table.release(a.key, 6);
        assert!(table.peers.is_empty());
    }

    #[test]
    fn a_bulk_lane_belongs_to_the_link_that_stands_and_comes_once() {
        let (mut table, a) = (table(), member("a", 1));
        assert_eq!(table.attach(a.key, 4).err(), Some(Reason::StaleLink));
        let older = table.admit(a.clone(), 4).unwrap();
        let _newer = table.admit(a.clone(), 6).unwrap();
        assert_eq!(table.attach(a.key, 4).err(), Some(Reason::StaleLink));
        assert!(table.attach(a.key, 6).is_ok());
        assert_eq!(table.attach(a.key, 6).err(), Some(Reason::StaleLink));
        drop(older);
    }

    #[test]
    fn an_earlier_life_of_a_member_is_cut_off_and_refused() {
        let (mut table, now) = (table(), Instant::now());
        let (old, new) = (member("a", 1), member("a", 2));
        table.set_alive(std::slice::from_ref(&old));
        table.start_keeping(now);
        let incoming = table.admit(old.clone(), 1).unwrap();
        let outgoing = table.target(old.key, now).unwrap();
        table.set_alive(std::slice::from_ref(&new));
        assert!(incoming.cut.is_cancelled() && outgoing.cut.is_cancelled());
        assert_eq!(
            table.admit(old.clone(), 2).err(),
            Some(Reason::Superseded { yours: Box::new(old), newest: Box::new(new) })
        );
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = table();
        for n in 0..PEERS_MAX {
            table.admit(member(&n.to_string(), 1), 1).unwrap();
        }
        assert!(matches!(table.admit(member("one more", 1), 1), Err(Reason::TooManyPeers { .. })));
    }
}
