//! The way of replies back to the node that asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::hub::Hub;
use super::protocol::{End, encode_answer};
use crate::actor::AskFailure;
use crate::actor::remote::Exchange;
use crate::actor::reply::{ReplySink, SinkReply};
use crate::base::{NodeKey, StableMap};
use crate::cluster::SendFailure;
use crate::wire::Kind;

/// The replies that wait for room on the link to one node, in bytes. Beyond it their askers are told that they are lost.
const BACKLOG_BYTES_MAX: usize = 64 << 20;

/// What a reply counts at least, in bytes.
const ANSWER_BYTES: usize = 64;

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

/// Replies that wait for room on a link.
#[derive(Default)]
pub(super) struct Backlog(Mutex<StableMap<NodeKey, Waiting>>);

#[derive(Default)]
struct Waiting {
    answers: VecDeque<(u64, End)>,
    bytes: usize,
}

impl Backlog {
    /// The link has no room for a reply.
    pub(super) fn add(&self, peer: NodeKey, ask: u64, end: End) {
        let mut backlog = self.lock();
        let waiting = backlog.entry(peer).or_default();
        let bytes = bytes(&end);
        let end = match end {
            End::Value(_) if waiting.bytes + bytes > BACKLOG_BYTES_MAX => {
                let reason = "its reply found no room on the link, where replies wait that were not taken".to_owned();
                End::Failure(AskFailure::Unknown { reason })
            }
            end => end,
        };
        waiting.bytes += self::bytes(&end);
        waiting.answers.push_back((ask, end));
    }

    /// There may be room again. False if there is not enough.
    pub(super) fn send(&self, peer: NodeKey, hub: &Hub) -> bool {
        loop {
            // Out of the table while it is sent: nothing is locked then.
            let Some((ask, end)) = self.pop(peer) else { return true };
            match post(hub, peer, ask, &end) {
                Err(SendFailure::Full { .. }) => {
                    let mut backlog = self.lock();
                    let waiting = backlog.entry(peer).or_default();
                    waiting.bytes += bytes(&end);
                    waiting.answers.push_front((ask, end));
                    return false;
                }
                _sent_or_lost => {}
            }
        }
    }

    /// The link is down: who asked has been told.
    pub(super) fn lost(&self, peer: NodeKey) {
        self.lock().remove(&peer);
    }

    fn pop(&self, peer: NodeKey) -> Option<(u64, End)> {
        let mut backlog = self.lock();
        let waiting = backlog.get_mut(&peer)?;
        match waiting.answers.pop_front() {
            Some((ask, end)) => {
                waiting.bytes -= bytes(&end);
                Some((ask, end))
            }
            None => {
                backlog.remove(&peer);
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, StableMap<NodeKey, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
