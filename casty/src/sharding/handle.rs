//! What a user holds: an entity type, and references to its entities.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::call::{AskEntity, SendEntity};
use super::router::{NewRequest, Router, Submit};
use super::shard::{group_of, shard_of, slot_of};
use crate::actor::registration::Outbound;
use crate::actor::{
    Actor, Env, Handles, Message, Recipient, Registered, Rejected, Request, Route, Routed, SendRequest, SentTo, scope,
};
use crate::base::{EntityId, GroupId};
use crate::codec::tag;

/// A started entity type: `N` shards of entities of the actor `A`, spread over the cluster.
///
/// It is cheap to clone. See [`entity`](Self::entity).
pub struct Sharded<A: Actor> {
    router: Arc<Router>,
    name: Arc<str>,
    shards: u32,
    actor: PhantomData<fn() -> A>,
}

/// A reference to one entity, wherever it lives.
///
/// It has the typed methods of the actor's handlers. The entity exists from its first message on. What is asked is
/// linearizable: a write is committed by a quorum when the answer comes, and a read sees every write answered before it.
///
/// It can be a field of a message or of an actor's persistent state: it is written as the name of its entity type and its id, and
/// leads to the same entity from every node of the cluster, for as long as the cluster lives. Only a node can read one, and
/// only if it knows the entity type: elsewhere decoding fails, and says why ([`NoEntity`](crate::actor::remote::NoEntity)).
pub struct EntityRef<A: Registered> {
    handle: A::Handle<Routed<A>>,
    /// No method gives it: handlers may have that name.
    pub(super) entity_type: Arc<str>,
    id: EntityId,
}

impl<A: Actor> Sharded<A> {
    pub(crate) fn new(router: Arc<Router>, name: &str, shards: u32) -> Self {
        Self { router, name: name.into(), shards, actor: PhantomData }
    }
}

impl<A: Registered> Sharded<A> {
    /// The entity with this id.
    pub fn entity(&self, id: impl Into<EntityId>) -> EntityRef<A> {
        let id = id.into();
        let path = EntityPath::new(self.router.clone(), &self.name, self.shards, id.clone());
        EntityRef::new(Arc::new(path), self.name.clone(), id)
    }

    /// Asks the entity with this id: short for `entity(id).ask(msg)`, for a single call.
    pub fn ask<M: Message>(&self, id: impl Into<EntityId>, msg: impl SentTo<A, Message = M>) -> AskEntity<A, M>
    where
        A: Handles<M>,
    {
        let (entity, msg) = (self.entity(id), msg.into());
        AskEntity::new(async move { Request::new(entity.handle.as_ref(), msg).await })
    }

    /// Sends to the entity with this id: short for `entity(id).send(msg)`.
    pub fn send<M: Message>(&self, id: impl Into<EntityId>, msg: impl SentTo<A, Message = M>) -> SendEntity<M>
    where
        A: Handles<M>,
    {
        let (entity, msg) = (self.entity(id), msg.into());
        SendEntity::new(async move { Request::new(entity.handle.as_ref(), msg).send().await })
    }

    /// The name of the entity type.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of shards.
    pub fn shards(&self) -> u32 {
        self.shards
    }

    /// The consensus group that holds the entity with this id.
    pub fn group_of(&self, id: &str) -> GroupId {
        group_in(&self.router, &self.name, shard_of(id, self.shards))
    }
}

impl<A: Actor> Clone for Sharded<A> {
    fn clone(&self) -> Self {
        Self { router: self.router.clone(), name: self.name.clone(), shards: self.shards, actor: PhantomData }
    }
}

impl<A: Actor> fmt::Debug for Sharded<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sharded").field("name", &self.name).field("shards", &self.shards).finish_non_exhaustive()
    }
}

impl<A: Registered> EntityRef<A> {
    pub(super) fn new(route: Arc<dyn Route>, entity_type: Arc<str>, id: EntityId) -> Self {
        Self { handle: Routed::new(route).into(), entity_type, id }
    }

    /// Asks: the request is a future that ends with the reply.
    pub fn ask<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> Request<'_, A, Routed<A>, M>
    where
        A: Handles<M>,
    {
        Request::new(self.handle.as_ref(), msg.into())
    }

    /// Sends and waits for no reply. `Ok` means that the message is on its way: it is applied once, unless this node dies
    /// or the group stays away past the deadline; then it goes to dead letters.
    pub fn send<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> SendRequest<'_, A, Routed<A>, M>
    where
        A: Handles<M>,
    {
        Request::new(self.handle.as_ref(), msg.into()).send()
    }

    /// A reference to anyone who handles `M`, which happens to be this entity.
    pub fn recipient<M: Message>(&self) -> Recipient<M>
    where
        A: Handles<M>,
    {
        Recipient::new(self.handle.as_ref().clone())
    }

    /// The id of the entity.
    pub fn id(&self) -> &EntityId {
        &self.id
    }
}

impl<A: Registered> Deref for EntityRef<A> {
    type Target = A::Handle<Routed<A>>;

    fn deref(&self) -> &Self::Target {
        &self.handle
    }
}

impl<A: Registered> Clone for EntityRef<A> {
    fn clone(&self) -> Self {
        let (handle, entity_type) = (self.handle.as_ref().clone().into(), self.entity_type.clone());
        Self { handle, entity_type, id: self.id.clone() }
    }
}

impl<A: Registered> fmt::Debug for EntityRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntityRef").field("entity_type", &self.entity_type).field("id", &self.id).finish()
    }
}

/// The largest message to an entity, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Where an entity lives, untyped.
pub(super) struct EntityPath {
    router: Arc<Router>,
    group: GroupId,
    entity_type: u32,
    shard: u32,
    id: EntityId,
}

/// The consensus group that holds a shard.
fn group_in(router: &Router, entity_type: &str, shard: u32) -> GroupId {
    group_of(slot_of(entity_type, shard), router.groups().unwrap_or(1))
}

impl EntityPath {
    /// The path of an entity of a type that has so many shards.
    pub(super) fn new(router: Arc<Router>, entity_type: &str, shards: u32, id: EntityId) -> Self {
        let shard = shard_of(id.as_str(), shards);
        let group = group_in(&router, entity_type, shard);
        Self { router, group, entity_type: tag(entity_type), shard, id }
    }

    /// The path of an entity whose group and shard are known: the region that runs it knows both.
    pub(super) fn of(router: Arc<Router>, group: GroupId, entity_type: u32, shard: u32, id: EntityId) -> Self {
        Self { router, group, entity_type, shard, id }
    }

    /// Refuses a message that is too large to travel.
    fn check(&self, message: Outbound) -> Result<Outbound, Rejected<Outbound>> {
        let bytes = message.body.len();
        if bytes <= MESSAGE_BYTES_MAX {
            return Ok(message);
        }
        let reason =
            format!("a message of {bytes} bytes to `{}`: {MESSAGE_BYTES_MAX} are allowed; send it in parts", self.id);
        Err(Rejected::Unavailable { message: Some(message), reason })
    }

    fn request(&self, outbound: Outbound) -> NewRequest {
        let Outbound { tag, access, body, reply, .. } = outbound;
        let deadline = reply.as_ref().and_then(|reply| reply.deadline());
        NewRequest {
            entity_type: self.entity_type,
            shard: self.shard,
            entity: self.id.clone(),
            tag,
            access,
            body: body.into(),
            reply,
            deadline: deadline.unwrap_or_else(|| Instant::now() + self.router.settings.ask_timeout),
            nested: scope::is_nested(),
        }
    }
}

fn outbound(request: NewRequest) -> Outbound {
    let NewRequest { tag, access, body, reply, .. } = request;
    Outbound { tag, access, body: body.into(), reply, sender: None }
}

impl Route for EntityPath {
    fn poll_submit(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outbound>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<Outbound>>> {
        if let Some(waiting) = *ticket {
            if !self.router.poll_ticket(self.group, waiting, cx.waker()) {
                return Poll::Pending;
            }
            *ticket = None;
            return Poll::Ready(Ok(()));
        }
        let Some(message) = message.take() else { return Poll::Ready(Ok(())) };
        let message = self.check(message)?;
        match self.router.submit(self.group, self.request(message), Some(cx.waker())) {
            Submit::Taken => Poll::Ready(Ok(())),
            Submit::Waiting(waiting) => {
                *ticket = Some(waiting);
                Poll::Pending
            }
            other => Poll::Ready(Err(rejected(other))),
        }
    }

    fn try_submit(&self, message: Outbound) -> Result<(), Rejected<Outbound>> {
        let message = self.check(message)?;
        match self.router.submit(self.group, self.request(message), None) {
            Submit::Taken | Submit::Waiting(_) => Ok(()),
            other => Err(rejected(other)),
        }
    }

    fn cancel(&self, ticket: u64) -> bool {
        self.router.cancel(self.group, ticket)
    }

    fn env(&self) -> &Env {
        self.router.env()
    }

    fn name(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn ask_timeout(&self) -> Duration {
        self.router.settings.ask_timeout
    }
}

fn rejected(submit: Submit) -> Rejected<Outbound> {
    match submit {
        Submit::Full(request) => Rejected::Full(outbound(request)),
        Submit::Unavailable(request, reason) => Rejected::Unavailable { message: Some(outbound(request)), reason },
        Submit::Taken | Submit::Waiting(_) => Rejected::Closed(None),
    }
}
