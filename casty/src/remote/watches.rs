//! The actors of other nodes whose end somebody here waits for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use super::hub::Hub;
use super::protocol::Word;
use crate::actor::StopReason;
use crate::base::NodeKey;

/// A node of which nothing is known may be too new: so long it may take until the others have told of it.
const UNHEARD_OF_MAX: Duration = Duration::from_secs(2);

/// So many nodes are remembered that are gone.
const GONE_MAX: usize = 1024;

type Told = watch::Sender<Option<StopReason>>;

/// The actors of other nodes whose end somebody here waits for.
#[derive(Default)]
pub(super) struct Watches(Mutex<State>);

#[derive(Default)]
struct State {
    /// By node, and in an order that a simulation repeats.
    watched: BTreeMap<(NodeKey, u64), Told>,
    /// Nodes that were members and are no more, the oldest first.
    gone: VecDeque<NodeKey>,
}

impl Watches {
    /// A node is a member.
    pub(super) fn member_up(&self, node: NodeKey) {
        self.0.lock().gone.retain(|gone| *gone != node);
    }

    /// A node is a member no more: its actors have stopped.
    pub(super) fn member_down(&self, node: NodeKey) {
        let mut state = self.0.lock();
        state.gone.retain(|gone| *gone != node);
        if state.gone.len() == GONE_MAX {
            state.gone.pop_front();
        }
        state.gone.push_back(node);
        let lost: Vec<_> = state.of(node).collect();
        let lost: Vec<_> = lost.into_iter().filter_map(|number| state.watched.remove(&(node, number))).collect();
        drop(state);
        lost.iter().for_each(|told| _ = told.send_replace(Some(StopReason::NodeLost)));
    }

    /// An actor has stopped.
    pub(super) fn ended(&self, node: NodeKey, number: u64, reason: StopReason) {
        let told = self.0.lock().watched.remove(&(node, number));
        if let Some(told) = told {
            told.send_replace(Some(reason));
        }
    }

    /// The actors of this node that are watched.
    pub(super) fn of(&self, node: NodeKey) -> Vec<u64> {
        self.0.lock().of(node).collect()
    }

    /// Whether the node was a member and is no more.
    fn is_gone(&self, node: NodeKey) -> bool {
        self.0.lock().gone.contains(&node)
    }

    fn begin(&self, node: NodeKey, number: u64) -> watch::Receiver<Option<StopReason>> {
        self.0.lock().watched.entry((node, number)).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    /// One who waited has left. True if nobody waits any more.
    fn leave(&self, node: NodeKey, number: u64) -> bool {
        let mut state = self.0.lock();
        // The one that leaves counts still.
        let last = state.watched.get(&(node, number)).is_some_and(|told| told.receiver_count() <= 1);
        last && state.watched.remove(&(node, number)).is_some()
    }
}

impl State {
    fn of(&self, node: NodeKey) -> impl Iterator<Item = u64> {
        self.watched.range((node, 0)..=(node, u64::MAX)).map(|((_, number), _)| *number)
    }
}

/// Waits until an actor of another node has stopped, or is known to be gone. A link that breaks changes nothing: when there is
/// one again, the node is asked again. It is asked before this returns: whatever is sent to it afterwards comes after that.
pub(super) fn ended(hub: Arc<Hub>, node: NodeKey, number: u64) -> impl Future<Output = StopReason> + Send + use<> {
    let mut waiting = Waiting { told: hub.watches.begin(node, number), hub, node, number };
    // Before it is asked: a member that goes down from now on is told of.
    let gone = !waiting.is_member() && waiting.hub.watches.is_gone(node);
    if !gone {
        waiting.hub.word(node, &Word::Watch { number });
    }
    async move {
        if gone {
            return StopReason::NodeLost;
        }
        if waiting.is_member() {
            return waiting.reason().await;
        }
        match timeout(UNHEARD_OF_MAX, waiting.reason()).await {
            Ok(reason) => reason,
            Err(_) if waiting.is_member() => waiting.reason().await,
            Err(_) => StopReason::NodeLost,
        }
    }
}

/// One who waits for an end.
struct Waiting {
    told: watch::Receiver<Option<StopReason>>,
    hub: Arc<Hub>,
    node: NodeKey,
    number: u64,
}

impl Waiting {
    fn is_member(&self) -> bool {
        self.hub.links().is_member(self.node)
    }

    async fn reason(&mut self) -> StopReason {
        let told = self.told.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        told.unwrap_or(StopReason::NodeLost)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.hub.watches.leave(self.node, self.number) {
            self.hub.word(self.node, &Word::Unwatch { number: self.number });
        }
    }
}
