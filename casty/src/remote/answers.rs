//! The way of replies back to the node that asked.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::asks::ASKS_MAX;
use super::hub::Hub;
use super::protocol::{End, Word, encode_answer};
use crate::actor::AskFailure;
use crate::actor::remote::Exchange;
use crate::actor::reply::{ReplySink, SinkReply};
use crate::base::{NodeKey, StableMap};
use crate::cluster::SendFailure;
use crate::wire::Kind;

/// The replies and words that wait for room on the link to one node, in bytes. Beyond it the askers of replies are told that
/// they are lost, and words are.
const BACKLOG_BYTES_MAX: usize = 64 << 20;

/// What a reply counts at least, in bytes.
const ANSWER_BYTES: usize = 64;

/// What is kept beyond that of asks that failed: as many as one node has under way. A node that takes no replies and asks all the
/// same is told nothing of what is beyond.
const FAILURES_BYTES_MAX: usize = ASKS_MAX * ANSWER_BYTES;

/// Takes the reply to one ask of another node.
pub(super) struct Answering {
    pub(super) hub: Weak<Hub>,
    pub(super) peer: NodeKey,
    pub(super) ask: u64,
}

impl ReplySink for Answering {
    fn complete(&self, reply: SinkReply) {
        let Some(hub) = self.hub.upgrade() else { return };
        let end = match reply {
            SinkReply::Value(bytes) => End::Value(bytes),
            SinkReply::Failed => End::Failure(AskFailure::Failed),
            SinkReply::Stopped => End::Failure(AskFailure::Stopped),
            SinkReply::Displaced => End::Failure(AskFailure::MailboxFull),
        };
        hub.answer(self.peer, self.ask, end);
    }

    fn destination(&self) -> Option<(Arc<dyn Exchange>, NodeKey, u64)> {
        let hub: Arc<dyn Exchange> = self.hub.upgrade()?;
        Some((hub, self.peer, self.ask))
    }
}

/// Replies and words that wait for room on a link, in order.
#[derive(Default)]
pub(super) struct Backlog(Mutex<StableMap<NodeKey, Waiting>>);

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
}

/// What waits.
enum Item {
    /// The reply to an ask.
    Answer(u64, End),
    /// A word about an actor. Nobody repeats it.
    Word(Word),
}

impl Backlog {
    /// The link has no room for a reply.
    pub(super) fn add(&self, peer: NodeKey, ask: u64, end: End) {
        let mut backlog = self.0.lock();
        let waiting = backlog.entry(peer).or_default();
        match waiting.admit(end) {
            Some(end) => waiting.push(Item::Answer(ask, end)),
            None => {
                tracing::debug!(%peer, ask, "a reply is lost: its node takes none, and asks for more")
            }
        }
    }

    /// The link has no room for a word, or others wait that were said before. False if there are too many.
    pub(super) fn add_word(&self, peer: NodeKey, word: Word) -> bool {
        let mut backlog = self.0.lock();
        let waiting = backlog.entry(peer).or_default();
        let fits = waiting.bytes < BACKLOG_BYTES_MAX;
        if fits {
            waiting.push(Item::Word(word));
        }
        fits
    }

    /// Whether anything waits for the link to this node.
    pub(super) fn is_waiting(&self, peer: NodeKey) -> bool {
        self.0.lock().contains_key(&peer)
    }

    /// There may be room again. False if there is not enough.
    pub(super) fn send(&self, peer: NodeKey, hub: &Hub) -> bool {
        loop {
            // Out of the table while it is sent: nothing is locked then.
            let Some(item) = self.pop(peer) else { return true };
            let sent = match &item {
                Item::Answer(ask, end) => post(hub, peer, *ask, end),
                Item::Word(word) => hub.say(peer, word),
            };
            if let Err(SendFailure::Full { .. }) = sent {
                let mut backlog = self.0.lock();
                let waiting = backlog.entry(peer).or_default();
                waiting.bytes += item.bytes();
                waiting.items.push_front(item);
                return false;
            }
        }
    }

    /// The link is down: who asked has been told.
    pub(super) fn lost(&self, peer: NodeKey) {
        self.0.lock().remove(&peer);
    }

    fn pop(&self, peer: NodeKey) -> Option<Item> {
        let mut backlog = self.0.lock();
        let waiting = backlog.get_mut(&peer)?;
        match waiting.items.pop_front() {
            Some(item) => {
                waiting.bytes -= item.bytes();
                Some(item)
            }
            None => {
                backlog.remove(&peer);
                None
            }
        }
    }
}

impl Waiting {
    /// What is kept of a reply: where there is no room for its value, that it failed, and in the end nothing.
    fn admit(&self, end: End) -> Option<End> {
        if self.bytes >= BACKLOG_BYTES_MAX + FAILURES_BYTES_MAX {
            return None;
        }
        Some(match end {
            End::Value(_) if self.bytes + bytes(&end) > BACKLOG_BYTES_MAX => {
                let reason = "its reply found no room on the link, where replies wait that were not taken".to_owned();
                End::Failure(AskFailure::Unknown { reason })
            }
            end => end,
        })
    }

    fn push(&mut self, item: Item) {
        self.bytes += item.bytes();
        self.items.push_back(item);
    }
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Answer(_, end) => bytes(end),
            Self::Word(word) => ANSWER_BYTES + word.bytes(),
        }
    }
}

fn bytes(end: &End) -> usize {
    match end {
        End::Value(bytes) => ANSWER_BYTES + bytes.len(),
        End::Failure(_) => ANSWER_BYTES,
    }
}

/// Sends a reply. One that is larger than a frame is replaced by a word on that.
pub(super) fn post(hub: &Hub, peer: NodeKey, ask: u64, end: &End) -> Result<(), SendFailure> {
    match hub.links().send(peer, Kind::ANSWER, &mut |out| encode_answer(ask, end, out)) {
        Err(SendFailure::TooLarge { bytes, max }) => {
            let reason = format!("its reply takes {bytes} bytes, and {max} are allowed; reply in parts");
            let end = End::Failure(AskFailure::Unknown { reason });
            hub.links().send(peer, Kind::ANSWER, &mut |out| encode_answer(ask, &end, out))
        }
        sent => sent,
    }
}

/// Makes the place where the reply to an ask of another node goes.
pub(super) fn sink(hub: &Arc<Hub>, peer: NodeKey, ask: u64) -> Arc<dyn ReplySink> {
    Arc::new(Answering { hub: Arc::downgrade(hub), peer, ask })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_node_that_takes_no_replies_is_bounded() {
        let mut waiting = Waiting { items: VecDeque::new(), bytes: BACKLOG_BYTES_MAX - ANSWER_BYTES };
        let failed = || End::Failure(AskFailure::Stopped);
        assert!(matches!(waiting.admit(End::Value(vec![7])), Some(End::Failure(_))), "it finds no room");
        for _ in 0..=ASKS_MAX {
            waiting.bytes += waiting.admit(failed()).map_or(0, |end| bytes(&end));
        }
        assert_eq!(waiting.bytes, BACKLOG_BYTES_MAX + FAILURES_BYTES_MAX, "as many as a node can ask for are told");
        assert!(waiting.admit(failed()).is_none());
    }
}
