//! What a node does for the clients that are connected to it: it tells them who leads what, and finds what only nodes know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::inner::Inner;
use crate::actor::remote::Address;
use crate::base::{NodeKey, StableMap};
use crate::cluster::Lane;
use crate::sharding::{Declaration, Leading};
use crate::wire::Kind;

/// Questions of one client that wait for an answer.
const QUESTIONS_MAX: usize = 256;

/// From a client to its node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ToDesk {
    /// The client's requests come under this origin. The first word on a connection.
    Hello { origin: NodeKey },
    /// Where is this? The answer bears the number.
    Find { id: u64, sought: Sought, within_ms: u64 },
}

/// What a client looks for, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sought {
    /// An actor.
    Actor(String),
    /// An entity type.
    Type(String),
}

/// From a node to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FromDesk {
    /// The node belongs to this cluster, which has so many data groups.
    Welcome { cluster_id: u64, groups: u16 },
    /// These groups have leaders, and no others have, as far as the node knows.
    Leading(Vec<Leading>),
    /// The answer to a question.
    Found { id: u64, found: Found },
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Found {
    Actor(Address),
    Type(Declaration),
    /// There was none within the time.
    Nothing,
    /// The client asks too much at one time.
    TooMany,
}

/// The clients that are connected to this node.
#[derive(Default)]
pub(super) struct Desk(Mutex<StableMap<NodeKey, Visitor>>);

struct Visitor {
    origin: NodeKey,
    questions: Arc<Semaphore>,
    /// The client has left, and wants no answers.
    left: CancellationToken,
}

impl Desk {
    /// Under which origins the requests of clients come.
    pub(super) fn origins(&self) -> Vec<NodeKey> {
        self.lock().values().map(|visitor| visitor.origin).collect()
    }

    /// The connection of a client ended, if it was one.
    pub(super) fn left(&self, client: NodeKey) {
        if let Some(visitor) = self.lock().remove(&client) {
            visitor.left.cancel();
        }
    }

    fn entered(&self, client: NodeKey, origin: NodeKey) {
        let new =
            || Visitor { origin, questions: Arc::new(Semaphore::new(QUESTIONS_MAX)), left: CancellationToken::new() };
        self.lock().entry(client).or_insert_with(new).origin = origin;
    }

    fn all(&self) -> Vec<NodeKey> {
        let mut all: Vec<_> = self.lock().keys().copied().collect();
        all.sort_unstable();
        all
    }

    fn lock(&self) -> MutexGuard<'_, StableMap<NodeKey, Visitor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A client has a word for this node.
    pub(super) fn asked(self: &Arc<Self>, client: NodeKey, word: ToDesk) {
        match word {
            ToDesk::Hello { origin } => {
                self.desk.entered(client, origin);
                self.welcome(client);
            }
            ToDesk::Find { id, sought, within_ms } => self.look_for(client, id, sought, within_ms),
        }
    }

    /// Tells the clients who leads what, as that changes, for as long as the node runs.
    pub(super) async fn attend(self: Arc<Self>) {
        let mut leaders = self.router.watch_leaders();
        // Those who came before the node belonged to a cluster.
        self.desk.all().into_iter().for_each(|client| self.welcome(client));
        while leaders.changed().await.is_ok() {
            let clients = self.desk.all();
            if clients.is_empty() {
                continue;
            }
            let leading = FromDesk::Leading(self.router.leaders());
            clients.into_iter().for_each(|client| self.tell(client, &leading));
        }
    }

    fn welcome(&self, client: NodeKey) {
        let (Some(cluster_id), Some(groups)) = (self.links.cluster_id(), self.router.groups()) else { return };
        self.tell(client, &FromDesk::Welcome { cluster_id, groups });
        self.tell(client, &FromDesk::Leading(self.router.leaders()));
    }

    fn look_for(self: &Arc<Self>, client: NodeKey, id: u64, sought: Sought, within_ms: u64) {
        let Some((questions, left)) =
            self.desk.lock().get(&client).map(|visitor| (visitor.questions.clone(), visitor.left.clone()))
        else {
            return tracing::debug!(%client, "a question of a client that did not say hello is dropped");
        };
        let Ok(place) = questions.try_acquire_owned() else {
            return self.tell(client, &FromDesk::Found { id, found: Found::TooMany });
        };
        let inner = self.clone();
        self.spawn(async move {
            let deadline = Instant::now().checked_add(Duration::from_millis(within_ms));
            let deadline = deadline.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                found = inner.find(&sought, deadline) => inner.tell(client, &FromDesk::Found { id, found }),
                () = left.cancelled() => {}
            }
            drop(place);
        });
    }

    async fn find(&self, sought: &Sought, deadline: Instant) -> Found {
        match sought {
            Sought::Actor(name) => {
                let look = || self.names.get(name).map(Found::Actor);
                until(self.names.subscribe(), deadline, look).await
            }
            Sought::Type(name) => {
                let look = || self.kinds.named(name).map(Found::Type);
                until(self.kinds.learned(), deadline, look).await
            }
        }
    }

    fn tell(&self, client: NodeKey, word: &FromDesk) {
        let encoded = crate::codec::encode(word).unwrap_or_default();
        self.links.send(client, Lane::Bulk, Kind::DESK, &mut |out| out.extend_from_slice(&encoded));
    }
}

/// Looks whenever something has changed, until there is something to be found, or the time is over.
async fn until(mut changed: watch::Receiver<()>, deadline: Instant, look: impl Fn() -> Option<Found>) -> Found {
    loop {
        changed.borrow_and_update();
        if let Some(found) = look() {
            return found;
        }
        if !matches!(timeout_at(deadline, changed.changed()).await, Ok(Ok(()))) {
            return look().unwrap_or(Found::Nothing);
        }
    }
}
