//! What a node does for the clients that are connected to it: it tells them who leads what, and finds what only nodes know.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
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

/// The longest name that is looked for, in bytes.
const NAME_BYTES_MAX: usize = 1 << 10;

/// How long a node looks for one thing.
const QUESTION_MAX: Duration = Duration::from_secs(3_600);

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
pub(super) struct Desk {
    visitors: Mutex<StableMap<NodeKey, Visitor>>,
    /// Held while clients are told who leads: an older list does not follow a newer one.
    telling: Mutex<()>,
}

struct Visitor {
    /// Under which its requests come, once it has said so.
    origin: Option<NodeKey>,
    questions: Arc<Semaphore>,
    /// The client has left, and wants no answers.
    left: CancellationToken,
}

impl Default for Visitor {
    fn default() -> Self {
        let (questions, left) = (Arc::new(Semaphore::new(QUESTIONS_MAX)), CancellationToken::new());
        Self { origin: None, questions, left }
    }
}

impl Desk {
    /// Under which origins the requests of clients come.
    pub(super) fn origins(&self) -> Vec<NodeKey> {
        self.visitors.lock().values().filter_map(|visitor| visitor.origin).collect()
    }

    /// The connection of a client ended, if it was one.
    pub(super) fn left(&self, client: NodeKey) {
        if let Some(visitor) = self.visitors.lock().remove(&client) {
            visitor.left.cancel();
        }
    }

    fn introduced(&self, client: NodeKey, origin: NodeKey) {
        self.visitors.lock().entry(client).or_default().origin = Some(origin);
    }

    /// A place for one more question, if there is one, and how to see that the client has left.
    fn question(&self, client: NodeKey) -> Option<(OwnedSemaphorePermit, CancellationToken)> {
        let mut visitors = self.visitors.lock();
        let visitor = visitors.entry(client).or_default();
        Some((visitor.questions.clone().try_acquire_owned().ok()?, visitor.left.clone()))
    }

    fn all(&self) -> Vec<NodeKey> {
        let mut all: Vec<_> = self.visitors.lock().keys().copied().collect();
        all.sort_unstable();
        all
    }
}

impl Inner {
    /// A client has a word for this node.
    pub(super) fn asked(self: &Arc<Self>, client: NodeKey, word: ToDesk) {
        match word {
            ToDesk::Hello { origin } => {
                self.desk.introduced(client, origin);
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
            let _held = self.desk.telling.lock();
            let leading = FromDesk::Leading(self.router.leaders());
            clients.into_iter().for_each(|client| self.tell(client, &leading));
        }
    }

    fn welcome(&self, client: NodeKey) {
        let (Some(cluster_id), Some(groups)) = (self.links.cluster_id(), self.router.groups()) else { return };
        self.tell(client, &FromDesk::Welcome { cluster_id, groups });
        let _held = self.desk.telling.lock();
        self.tell(client, &FromDesk::Leading(self.router.leaders()));
    }

    fn look_for(self: &Arc<Self>, client: NodeKey, id: u64, sought: Sought, within_ms: u64) {
        let Some((place, left)) = self.desk.question(client) else {
            return self.tell(client, &FromDesk::Found { id, found: Found::TooMany });
        };
        let (Sought::Actor(name) | Sought::Type(name)) = &sought;
        if name.len() > NAME_BYTES_MAX {
            return self.tell(client, &FromDesk::Found { id, found: Found::Nothing });
        }
        let inner = self.clone();
        self.spawn(async move {
            let deadline = Instant::now() + Duration::from_millis(within_ms).min(QUESTION_MAX);
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
        if !self.links.send(client, Lane::Bulk, Kind::DESK, &mut |out| out.extend_from_slice(&encoded)) {
            // It would go by what is no longer so, or wait in vain.
            self.links.let_go(client);
        }
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
