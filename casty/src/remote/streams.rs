//! Replies of many items: those that leave this node, and those that come.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;

use super::hub::Hub;
use super::protocol::{Word, encode_item};
use crate::actor::StreamError;
use crate::actor::remote::{Flowing, Outflow, STREAM_WINDOW, TooManyStreams};
use crate::base::NodeKey;
use crate::cluster::SendFailure;
use crate::wire::Kind;

/// The most replies of one node that are on their way item by item.
const OUTFLOWS_MAX: usize = 1 << 16;

/// Replies of many items: those that leave this node, and those that come.
pub(super) struct Streams(Mutex<State>);

struct State {
    next: u64,
    /// Those that leave, by number.
    out: BTreeMap<u64, Leaving>,
    /// Those that come, by node and number. Whoever takes their items bounds them.
    coming: BTreeMap<(NodeKey, u64), mpsc::Sender<Flowing>>,
}

/// A stream that leaves.
struct Leaving {
    to: NodeKey,
    /// The ask that it is the reply to.
    ask: u64,
    stage: Stage,
}

enum Stage {
    /// Nobody has asked for items yet.
    Waiting(Outflow),
    /// A task sends as many items as there are permits.
    Flowing(Arc<Semaphore>, AbortHandle),
}

impl Streams {
    /// Counts those that leave from `first` on.
    pub(super) fn counting_from(first: u64) -> Self {
        Self(Mutex::new(State { next: first, out: BTreeMap::new(), coming: BTreeMap::new() }))
    }

    /// A stream that begins when its asker wants the first item.
    pub(super) fn add(&self, to: NodeKey, ask: u64, items: Outflow) -> Result<u64, TooManyStreams> {
        let mut state = self.0.lock();
        if state.out.len() >= OUTFLOWS_MAX {
            return Err(TooManyStreams { max: OUTFLOWS_MAX });
        }
        let stream = state.next;
        state.next += 1;
        state.out.insert(stream, Leaving { to, ask, stage: Stage::Waiting(items) });
        Ok(stream)
    }

    /// What comes of a stream goes there.
    pub(super) fn expect(&self, from: NodeKey, stream: u64, to: mpsc::Sender<Flowing>) {
        self.0.lock().coming.insert((from, stream), to);
    }

    /// Nobody here takes the items of a stream any more.
    pub(super) fn forget(&self, from: NodeKey, stream: u64) {
        let left = self.0.lock().coming.remove(&(from, stream));
        drop(left);
    }

    /// The asker takes so many items more.
    pub(super) fn pulled(&self, hub: &Arc<Hub>, by: NodeKey, stream: u64, items: u32) {
        let mut state = self.0.lock();
        let Some(leaving) = state.out.get_mut(&stream).filter(|leaving| leaving.to == by) else { return };
        // Honest askers want no more than a window at a time.
        let items = items.min(STREAM_WINDOW) as usize;
        if let Stage::Flowing(permits, _) = &leaving.stage {
            if permits.available_permits() <= STREAM_WINDOW as usize {
                permits.add_permits(items);
            }
            return;
        }
        let permits = Arc::new(Semaphore::new(items));
        // The task takes itself out of the table when it is done, which waits for this lock.
        let idle = Stage::Waiting(Box::pin(futures_util::stream::empty()));
        let Stage::Waiting(outflow) = std::mem::replace(&mut leaving.stage, idle) else { return };
        let flowing = flow(Arc::clone(hub), by, stream, outflow, Arc::clone(&permits));
        leaving.stage = Stage::Flowing(permits, hub.spawn(flowing));
    }

    /// The asker has left.
    pub(super) fn abandoned(&self, by: NodeKey, stream: u64) {
        self.stop(|number, leaving| number == stream && leaving.to == by);
    }

    /// The answer to an ask found nobody, so that nobody knows of its streams.
    pub(super) fn unheard(&self, by: NodeKey, ask: u64) {
        self.stop(|_, leaving| leaving.ask == ask && leaving.to == by);
    }

    /// The link to a node broke.
    pub(super) fn lost(&self, peer: NodeKey) {
        self.stop(|_, leaving| leaving.to == peer);
        let mut state = self.0.lock();
        let lost: Vec<_> = state.coming.extract_if((peer, 0)..=(peer, u64::MAX), |_, _| true).collect();
        drop(state);
        // Whoever waits is told.
        drop(lost);
    }

    /// Something of a stream came.
    pub(super) fn came(&self, from: NodeKey, stream: u64, flowing: Flowing) {
        let mut state = self.0.lock();
        let Some(to) = state.coming.get(&(from, stream)) else { return };
        let ended = matches!(flowing, Flowing::End(_));
        // There is room for what was asked for. Who sends more breaks the stream.
        let broken = to.try_send(flowing).is_err();
        let over = (ended || broken).then(|| state.coming.remove(&(from, stream)));
        drop(state);
        drop(over);
        if broken {
            tracing::warn!(%from, stream, "a node sends more items than it was asked for; the stream breaks off");
        }
    }

    fn stop(&self, which: impl Fn(u64, &Leaving) -> bool) {
        let mut state = self.0.lock();
        let stopped: Vec<_> = state.out.extract_if(.., |number, leaving| which(*number, leaving)).collect();
        drop(state);
        for (_, leaving) in stopped {
            if let Stage::Flowing(_, task) = leaving.stage {
                task.abort();
            }
        }
    }

    fn done(&self, stream: u64) {
        let done = self.0.lock().out.remove(&stream);
        drop(done);
    }
}

/// Sends the items of a stream as they are wanted.
async fn flow(hub: Arc<Hub>, to: NodeKey, stream: u64, mut items: Outflow, permits: Arc<Semaphore>) {
    let broken = loop {
        let Ok(permit) = permits.acquire().await else { break None };
        permit.forget();
        match items.next().await {
            Some(Ok(item)) => match send(&hub, to, stream, &item).await {
                Ok(()) => {}
                Err(SendFailure::TooLarge { .. }) => break Some(StreamError::Unreadable),
                // The link broke: the asker has been told.
                Err(_) => break Some(StreamError::Lost),
            },
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    // What makes the items is told first that nobody takes more.
    drop(items);
    let word = Word::Dry { stream, broken: broken.map(Into::into) };
    while let Err(SendFailure::Full { .. }) = hub.links().send(to, Kind::ACTOR, &mut |out| word.encode(out)) {
        hub.links().room(to).await;
    }
    hub.streams.done(stream);
}

async fn send(hub: &Hub, to: NodeKey, stream: u64, item: &[u8]) -> Result<(), SendFailure> {
    loop {
        match hub.links().send(to, Kind::ITEM, &mut |out| encode_item(stream, item, out)) {
            Err(SendFailure::Full { .. }) => hub.links().room(to).await,
            sent => return sent,
        }
    }
}
