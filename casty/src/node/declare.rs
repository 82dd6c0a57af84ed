//! Starting an entity type: the meta group decides, whichever node asks.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::control::{Control, Verdict};
use super::inner::{Inner, lock};
use crate::actor::Actor;
use crate::base::{Backoff, GroupId};
use crate::sharding::{Declaration, SLOTS, Sharded, ShardingError};

/// How long `start` tries to reach the meta group.
const DECLARE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

/// How many shards an entity type has if it names no number.
const SHARDS_DEFAULT: u32 = 100;

/// An entity type about to be started; made by [`Node::sharded`](super::Node::sharded).
#[must_use = "nothing is started until `.start()` is awaited"]
pub struct StartSharded<A> {
    inner: Arc<Inner>,
    name: String,
    shards: u32,
    actor: PhantomData<fn() -> A>,
}

// `Node::sharded` alone asks for what an entity needs: asked here too, it would be reported again at every call.
impl<A: Actor> StartSharded<A> {
    pub(super) fn new(inner: Arc<Inner>, name: String) -> Self {
        Self { inner, name, shards: SHARDS_DEFAULT, actor: PhantomData }
    }

    /// Into how many shards the entities are divided: fixed for the life of the type. Default: 100.
    pub fn shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// Declares the type in the whole cluster, and waits until the cluster has agreed.
    ///
    /// Every node may start it, with the same parameters. A node whose program lacks the actor answers requests for it
    /// with `Unavailable`.
    pub async fn start(self) -> Result<Sharded<A>, ShardingError> {
        let Self { inner, name, shards, .. } = self;
        if shards == 0 || shards > SLOTS {
            return Err(ShardingError::Shards { name, shards, max: SLOTS });
        }
        let declaration = Declaration { name, actor: A::NAME.to_owned(), shards };
        inner.declare(&declaration).await?;
        Ok(Sharded::new(inner.router.clone(), &declaration.name, shards))
    }
}

impl Inner {
    async fn declare(&self, declaration: &Declaration) -> Result<(), ShardingError> {
        let mut rng = StdRng::seed_from_u64(self.me.0);
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(200));
        let deadline = Instant::now() + DECLARE_TIMEOUT;
        while Instant::now() < deadline {
            match timeout_at(deadline, self.ask_meta(declaration)).await {
                Ok(Verdict::Agreed) => {
                    self.kinds.learn([declaration.clone()]);
                    return Ok(());
                }
                Ok(Verdict::Conflict(theirs)) => return Err(conflict(declaration, &theirs)),
                Ok(Verdict::Again) => tokio::time::sleep(backoff.next_delay(&mut rng)).await,
                Err(_) => break,
            }
        }
        Err(ShardingError::Unavailable { name: declaration.name.clone(), after: DECLARE_TIMEOUT })
    }

    /// Asks the leader of the meta group once. Declaring twice does no harm.
    async fn ask_meta(&self, declaration: &Declaration) -> Verdict {
        let Some(leader) = self.router.leader(GroupId::META) else { return Verdict::Again };
        if leader.leader.node == self.me {
            return self.decide(declaration).await;
        }
        let (id, (answer, verdict)) = (self.next_declare(), oneshot::channel());
        lock(&self.declares).insert(id, answer);
        let sent = self.control(leader.leader.node, &Control::Declare { id, declaration: declaration.clone() });
        let verdict = if sent { timeout(ATTEMPT_TIMEOUT, verdict).await.ok().and_then(Result::ok) } else { None };
        lock(&self.declares).remove(&id);
        verdict.unwrap_or(Verdict::Again)
    }
}

fn conflict(ours: &Declaration, theirs: &Declaration) -> ShardingError {
    if ours.name != theirs.name {
        return ShardingError::SameTag { name: ours.name.clone(), other: theirs.name.clone() };
    }
    let say =
        |declaration: &Declaration| format!("the actor `{}` and {} shards", declaration.actor, declaration.shards);
    ShardingError::Conflict { name: ours.name.clone(), theirs: say(theirs), ours: say(ours) }
}
