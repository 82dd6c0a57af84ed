//! Starting an entity type: the meta group decides, whichever node asks.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::control::WORD_BYTES_MAX;
use super::inner::Inner;
use super::meta::{Command, Verdict};
use crate::actor::Actor;
use crate::codec::encode;
use crate::sharding::{Acknowledge, Declaration, ENTITY_TYPES_MAX, SLOTS, Said, Sharded, ShardingError};

/// How long `start` tries to reach the meta group.
const DECLARE_MAX: Duration = Duration::from_secs(30);

/// The longest declaration, encoded: half of a control frame, in which it travels. A state of 20 fields may have a thousand
/// versions, the shapes of all of which are in it.
const DECLARATION_BYTES_MAX: usize = WORD_BYTES_MAX / 2;

/// How many shards an entity type has if it names no number.
const SHARDS_DEFAULT: u32 = 100;

/// An entity type about to be started; made by [`Node::sharded`](super::Node::sharded).
#[must_use = "nothing is started until `.start()` is awaited"]
pub struct StartSharded<A> {
    inner: Arc<Inner>,
    name: String,
    shards: u32,
    said: Said,
    store: Option<String>,
    actor: PhantomData<fn() -> A>,
}

// `Node::sharded` alone asks for what an entity needs: asked here too, it would be reported again at every call.
impl<A: Actor> StartSharded<A> {
    pub(super) fn new(inner: Arc<Inner>, name: String) -> Self {
        Self { inner, name, shards: SHARDS_DEFAULT, said: Said::default(), store: None, actor: PhantomData }
    }

    /// Into how many shards the entities are divided: fixed for the life of the type. Default: 100.
    pub fn shards(mut self, shards: u32) -> Self {
        self.shards = shards;
        self
    }

    /// When requests that change an entity of this type are answered, where that is not as
    /// [`Replication::acknowledge`](super::Replication::acknowledge) has it for all. Each node goes by what its own program
    /// has said last: say the same on all.
    pub fn acknowledge(mut self, acknowledge: Acknowledge) -> Self {
        self.said.acknowledge = Some(acknowledge);
        self
    }

    /// How long an entity of this type may have nothing to do before it leaves the memory of its node, after its `on_stop`. The
    /// next request makes it anew from its state, as after a failover: only fields that are no state are lost. Each node
    /// goes by what its own program has said last, and looks once a second. Default: two minutes; `Duration::MAX` is never.
    /// Requests wait for the `on_stop`, for five seconds at most: it had better not ask the entity itself.
    ///
    /// An entity with a timer, or a future [of its own](crate::Ctx::pipe_to_self), has something to do, and stays. A node
    /// that has [more than it may](crate::ClusterConfig::live_entities_max) does not wait so long.
    pub fn passivate_after(mut self, idle: Duration) -> Self {
        self.said.passivate_after = Some(idle);
        self
    }

    /// Keeps the entities in a store outside of the cluster, fixed for the life of the type: the one that each node was
    /// [given](crate::ClusterConfig::entity_store) under this name. A node that was given none leaves them to the others.
    ///
    /// What is promised of entities holds for these as well, but that an answered write is as durable as the store makes it, and
    /// there as long as the store is. It is answered when the store has it, whatever [`acknowledge`](Self::acknowledge) says.
    /// While the store cannot be used, requests fail with [`Unavailable`](crate::AskError::Unavailable) after some seconds, or
    /// with [`Unknown`](crate::AskError::Unknown) where it did not say whether it has saved, and name it.
    pub fn stored_in(mut self, store: impl Into<String>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Declares the type in the whole cluster, and waits until the cluster has agreed.
    ///
    /// Every node may start it, with the same parameters. A node whose program lacks the actor answers requests for it
    /// with `Unavailable`.
    ///
    /// A program whose state has another shape than what the cluster stored is refused, by field and version, unless it
    /// [says](crate#state-and-its-change-of-shape) what becomes of that. Programs of an earlier and a later version may
    /// run side by side.
    pub async fn start(self) -> Result<Sharded<A>, ShardingError> {
        let Self { inner, name, shards, said, store, .. } = self;
        if shards == 0 || shards > SLOTS {
            return Err(ShardingError::Shards { name, shards, max: SLOTS });
        }
        let (actor, state) = (A::NAME.to_owned(), Vec::new());
        let declaration = Declaration { name, actor, shards, single: false, store, state };
        inner.declare(&declaration, said).await?;
        Ok(Sharded::new(inner.router.clone(), &declaration.name, shards))
    }
}

impl Inner {
    /// Has the cluster agree on an entity type, and on the shape of its state in this program. What the program says of it
    /// besides holds on this node.
    pub(super) async fn declare(&self, ours: &Declaration, said: Said) -> Result<(), ShardingError> {
        self.kinds.settings(ours.tag()).say(said);
        let until = Instant::now() + DECLARE_MAX;
        let mut stored = Vec::new();
        loop {
            let refused = |why| ShardingError::State { name: ours.name.clone(), actor: ours.actor.clone(), why };
            let proposed = self.kinds.following(ours, &stored).map_err(refused)?;
            fits(&proposed)?;
            match self.agree(&Command::Declare(proposed.clone()), until).await {
                Some(Verdict::Agreed) => {
                    self.kinds.learn([proposed]);
                    return Ok(());
                }
                Some(Verdict::Conflict(theirs)) if theirs.is_of_type(ours) => stored = theirs.state,
                Some(Verdict::Conflict(theirs)) => return Err(conflict(ours, &theirs)),
                // A declaration is overtaken by nothing else: there is no room for it.
                Some(Verdict::Overtaken) => {
                    return Err(ShardingError::TooMany { name: ours.name.clone(), max: ENTITY_TYPES_MAX });
                }
                _ => return Err(ShardingError::Unavailable { name: ours.name.clone(), after: DECLARE_MAX }),
            }
        }
    }

    /// Declares the state of this program wherever it is of a newer version than the cluster has: entities that others
    /// start can run here only then.
    pub(super) async fn declare_newer(self: Arc<Self>) {
        let mut learned = self.kinds.learned();
        loop {
            for declaration in self.kinds.newer() {
                if let Err(error) = self.declare(&declaration, Said::default()).await {
                    tracing::warn!(entity_type = declaration.name, %error, "this program's state is not declared");
                }
            }
            if learned.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Whether the cluster can agree on a declaration of this length.
fn fits(declaration: &Declaration) -> Result<(), ShardingError> {
    let bytes = encode(declaration).map_or(usize::MAX, |encoded| encoded.len());
    if bytes > DECLARATION_BYTES_MAX {
        let (name, versions) = (declaration.name.clone(), declaration.state.len());
        return Err(ShardingError::TooLong { name, versions, bytes, max: DECLARATION_BYTES_MAX });
    }
    Ok(())
}

fn conflict(ours: &Declaration, theirs: &Declaration) -> ShardingError {
    if ours.name != theirs.name {
        return ShardingError::SameTag { name: ours.name.clone(), other: theirs.name.clone() };
    }
    let say = |Declaration { actor, shards, single, store, .. }: &Declaration| {
        let place = store.as_ref().map_or(String::new(), |store| format!(", kept in the store `{store}`"));
        match single {
            true => format!("the actor `{actor}` as a singleton{place}"),
            false => format!("the actor `{actor}` and {shards} shards{place}"),
        }
    };
    ShardingError::Conflict { name: ours.name.clone(), theirs: say(theirs), ours: say(ours) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::actor::state::StateShape;

    #[test]
    fn a_state_that_has_had_too_many_versions_is_refused_by_name() {
        let fields: BTreeMap<_, _> = (0..20).map(|n| (format!("a field of a state, {n:2}"), n)).collect();
        let shape = |version| StateShape { version, fields: fields.clone(), events: None };
        let of = |versions: u32| {
            let (name, actor) = ("account".to_owned(), "bank.Account".to_owned());
            let state = (1..=versions).map(shape).collect();
            Declaration { name, actor, shards: 9, single: false, store: None, state }
        };
        assert_eq!(fits(&of(500)), Ok(()));
        let error = fits(&of(5_000)).unwrap_err();
        assert!(matches!(&error, ShardingError::TooLong { name, versions: 5_000, .. } if name == "account"), "{error}");
    }
}
