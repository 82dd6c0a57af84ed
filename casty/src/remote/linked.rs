//! Links between actors of this node and those of others.
//!
//! Both nodes hold a link, and either says it again whenever a connection between them comes up; the answer tells of what
//! stopped meanwhile. A node that has not heard of it before takes part when it is said as new; one that has let go of it
//! says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::hub::Hub;
use super::protocol::{Reason, Word};
use super::watches;
use crate::actor::StopReason;
use crate::actor::remote::{Address, TooManyLinks};
use crate::base::NodeKey;

/// The most links between actors of one node and those of others.
const LINKS_MAX: usize = 65_536;

/// The longest name that is kept of an actor of another node, and the longest of its type, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// The links of this node.
#[derive(Default)]
pub(super) struct Linked(Mutex<State>);

#[derive(Default)]
struct State {
    links: BTreeMap<Ends, Link>,
    /// The same by the actors of this node.
    ours: BTreeSet<(u64, NodeKey, u64)>,
}

/// What a link is between: an actor of another node, and one of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    pub(super) node: NodeKey,
    pub(super) theirs: u64,
    pub(super) ours: u64,
}

struct Link {
    ours: Address,
    theirs: Address,
    /// The other node has it too.
    shared: bool,
}

impl Linked {
    /// Adds a link. False: it is there already.
    fn add(&self, ours: &Address, theirs: &Address, shared: bool) -> Result<bool, TooManyLinks> {
        let ends = Ends { node: theirs.node, theirs: theirs.number, ours: ours.number };
        let mut state = self.0.lock();
        if let Some(link) = state.links.get_mut(&ends) {
            link.shared |= shared;
            return Ok(false);
        }
        if state.links.len() >= LINKS_MAX {
            return Err(TooManyLinks { max: LINKS_MAX });
        }
        state.links.insert(ends, Link { ours: ours.clone(), theirs: theirs.clone(), shared });
        state.ours.insert((ends.ours, ends.node, ends.theirs));
        Ok(true)
    }

    /// The other node has this link too.
    pub(super) fn share(&self, ends: Ends) {
        if let Some(link) = self.0.lock().links.get_mut(&ends) {
            link.shared = true;
        }
    }

    /// Whether there is such a link.
    fn has(&self, ends: Ends) -> bool {
        self.0.lock().links.contains_key(&ends)
    }

    /// Takes a link out. False: there is none.
    fn remove(&self, ends: Ends) -> bool {
        self.0.lock().take(ends).is_some()
    }

    /// What is to be said to a node that can be heard again.
    pub(super) fn again(&self, node: NodeKey) -> Vec<Word> {
        let state = self.0.lock();
        let word = |link: &Link| Word::Link { from: link.ours.clone(), to: link.theirs.number, new: !link.shared };
        state.with(node).map(|(_, link)| word(link)).collect()
    }

    /// An actor of this node has stopped. Gives the nodes with whose actors it was linked.
    pub(super) fn ours_ended(&self, number: u64) -> BTreeSet<NodeKey> {
        let mut state = self.0.lock();
        let with = state.ours.range((number, NodeKey(0), 0)..=(number, NodeKey(u64::MAX), u64::MAX));
        let with: Vec<_> =
            with.map(|(ours, node, theirs)| Ends { node: *node, theirs: *theirs, ours: *ours }).collect();
        with.iter().filter_map(|ends| state.take(*ends).map(|_| ends.node)).collect()
    }

    /// Takes out the links with those actors of a node that are meant.
    fn take(&self, node: NodeKey, meant: impl Fn(u64) -> bool) -> Vec<Link> {
        let mut state = self.0.lock();
        let some: Vec<_> = state.with(node).map(|(ends, _)| *ends).filter(|ends| meant(ends.theirs)).collect();
        some.into_iter().filter_map(|ends| state.take(ends)).collect()
    }
}

impl State {
    fn with(&self, node: NodeKey) -> impl Iterator<Item = (&Ends, &Link)> {
        let (first, last) = (Ends { node, theirs: 0, ours: 0 }, Ends { node, theirs: u64::MAX, ours: u64::MAX });
        self.links.range(first..=last)
    }

    fn take(&mut self, ends: Ends) -> Option<Link> {
        self.ours.remove(&(ends.ours, ends.node, ends.theirs));
        self.links.remove(&ends)
    }
}

/// An actor of this node links itself with one of another.
pub(super) fn link(hub: &Arc<Hub>, ours: Address, theirs: &Address) -> Result<(), TooManyLinks> {
    let (node, number) = (theirs.node, theirs.number);
    if !hub.linked.add(&ours, theirs, false)? {
        return Ok(());
    }
    if node == hub.me() {
        // One of this node that lives has a mailbox.
        ended(hub, node, number, &hub.exports.reason(number));
        return Ok(());
    }
    hub.word(node, &Word::Link { from: ours, to: number, new: true });
    // Of a member that goes down from now on it is told.
    if !hub.links().is_member(node) {
        let waiting = Arc::clone(hub);
        hub.spawn(async move {
            let reason = watches::ended(Arc::clone(&waiting), node, number).await;
            ended(&waiting, node, number, &reason);
        });
    }
    Ok(())
}

/// Takes a link back, whichever node made it.
pub(super) fn unlink(hub: &Hub, ends: Ends) {
    if hub.linked.remove(ends) {
        hub.word(ends.node, &Word::Unlink { mine: ends.ours, yours: ends.theirs });
    }
}

/// A node says that an actor of it is linked with one of this node.
pub(super) fn said(hub: &Hub, from: NodeKey, mut theirs: Address, number: u64, new: bool) {
    // It is for the log, and is kept for as long as the link.
    theirs.name = theirs.name.filter(|name| name.len() <= NAME_BYTES_MAX);
    let ends = Ends { node: from, theirs: theirs.number, ours: number };
    let stopped = || Word::Ended { number, reason: Reason::from(&hub.exports.reason(number)) };
    let refused = || Word::Unlink { mine: ends.ours, yours: ends.theirs };
    let Some((exported, ours)) = hub.exports.get(number).and_then(|found| Some((found.clone(), found.address()?)))
    else {
        return hub.word(from, &stopped());
    };
    if theirs.node != from || theirs.actor.len() > NAME_BYTES_MAX {
        return tracing::warn!(%from, number, "a link is dropped: no actor of that node is at its other end");
    }
    if new {
        match hub.linked.add(&ours, &theirs, true) {
            Ok(true) => exported.link(from, theirs.number),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%from, %theirs, %error, "a link is refused");
                return hub.word(from, &refused());
            }
        }
    } else if !hub.linked.has(ends) {
        // It was taken back while the other node did not hear of it.
        return hub.word(from, &refused());
    }
    if hub.exports.get(number).is_some() {
        hub.word(from, &Word::Linked { mine: ends.ours, yours: ends.theirs });
    } else if hub.linked.remove(ends) {
        // It stopped meanwhile, and whoever told of that may not have seen the link.
        hub.word(from, &stopped());
    }
}

/// A node says that it has taken a link back, or does not have it.
pub(super) fn unsaid(hub: &Hub, ends: Ends) {
    if hub.linked.remove(ends)
        && let Some(exported) = hub.exports.get(ends.ours)
    {
        exported.unlink(ends.node, ends.theirs);
    }
}

/// An actor of another node has stopped.
pub(super) fn ended(hub: &Hub, node: NodeKey, number: u64, reason: &StopReason) {
    tell(hub, hub.linked.take(node, |theirs| theirs == number), reason);
}

/// A node is lost, and so are all its actors.
pub(super) fn lost(hub: &Hub, node: NodeKey) {
    tell(hub, hub.linked.take(node, |_| true), &StopReason::NodeLost);
}

fn tell(hub: &Hub, links: Vec<Link>, reason: &StopReason) {
    for Link { ours, theirs, .. } in links {
        if let Some(exported) = hub.exports.get(ours.number) {
            exported.link_ended(theirs, reason.clone());
        }
    }
}
