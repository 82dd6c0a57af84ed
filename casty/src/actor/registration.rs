//! What the program knows of its actor types by name, so that bytes from another node can reach them.

use std::any::TypeId;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use super::entity::{self, EntityType};
use super::remote::{self, Address, RemoteType, Sender, SpawnType};
use super::reply::{Port, ReplySink, ReplySlot};
use super::{Access, Actor, FromId, Handles, Persistent, WireMessage, WireReply};
use crate::codec::{DecodeError, EncodeError, Shape, buffer};

/// An actor that can be reached from other nodes. `#[actor]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not registered: it cannot be reached from other nodes",
    label = "not registered",
    note = "generic actors, and those with `#[actor(local)]`, work on their own node only"
)]
pub trait Registered: Actor {
    /// Every message that it handles.
    const MESSAGES: &'static [MessageOf];

    /// Turns a message into bytes, and keeps the place where its reply is waited for.
    fn encode(msg: Self::Msg) -> Result<Outbound, EncodeError>;

    /// Turns bytes into a message that comes from `origin`.
    fn decode(tag: u32, bytes: &[u8], origin: Origin) -> Result<Self::Msg, DecodeError>;
}

/// Where a message of bytes comes from.
#[derive(Default)]
pub struct Origin {
    /// Where its reply goes, encoded; `None` for a send.
    pub(crate) sink: Option<Arc<dyn ReplySink>>,
    /// Who sent it, if that was said.
    pub(crate) sender: Option<Sender>,
}

impl Origin {
    /// From nobody who is named: the reply goes, encoded, into `sink`.
    pub fn answered_to(sink: Arc<dyn ReplySink>) -> Self {
        Self { sink: Some(sink), sender: None }
    }
}

/// A message on its way to another node.
pub struct Outbound {
    /// Which message it is.
    pub tag: u32,
    /// Whether its handler may change the actor.
    pub access: Access,
    /// The encoded message.
    pub body: Vec<u8>,
    /// Where its reply is waited for; `None` for a send.
    pub reply: Option<Arc<dyn ReplySlot>>,
    /// Who sends it, if it says so and others can call it.
    pub sender: Option<Address>,
}

impl Outbound {
    /// Stands for a message whose sender has it still.
    pub(super) const EMPTY: Self = Self { tag: 0, access: Access::Write, body: Vec::new(), reply: None, sender: None };
}

/// [`Registered::encode`] for one message. Called by generated code.
pub fn encode_message<A, M>(msg: M, port: Port<A::Reply>) -> Result<Outbound, EncodeError>
where
    A: Handles<M>,
    M: WireMessage,
    A::Reply: WireReply,
{
    let mut body = buffer();
    msg.encode(&mut body)?;
    let (port, sender) = port.split_sender();
    let sender = sender.and_then(|sender| sender.address());
    Ok(Outbound { tag: M::TAG, access: A::ACCESS, body, reply: port.into_slot(), sender })
}

/// [`Registered::decode`] for one message. Called by generated code.
pub fn decode_message<A, M>(bytes: &[u8], origin: Origin) -> Result<A::Msg, DecodeError>
where
    A: Handles<M>,
    M: WireMessage,
    A::Reply: WireReply,
{
    let msg = M::decode(bytes)?;
    let port = origin.sink.map_or(Port::none(), Port::into_sink);
    Ok(A::wrap(msg, port.with_sender(origin.sender)))
}

/// A message that an actor handles.
#[derive(Clone, Copy, Debug)]
pub struct MessageOf {
    /// Its wire tag.
    pub tag: u32,
    /// Its wire name.
    pub name: &'static str,
    /// Its version.
    pub version: u32,
    /// What it looks like in bytes.
    pub shape: fn() -> Shape,
    /// What its reply looks like.
    pub reply: fn() -> Shape,
}

/// What the actor `A` handles, as one of its messages. Called by generated code.
pub const fn message_of<A, M>() -> MessageOf
where
    A: Handles<M>,
    M: WireMessage,
    A::Reply: WireReply,
{
    MessageOf {
        tag: M::TAG,
        name: M::NAME,
        version: M::VERSION,
        shape: M::shape,
        reply: <A::Reply as WireReply>::shape,
    }
}

/// One actor type of the program.
pub struct Registration {
    /// Its wire name.
    pub name: &'static str,
    /// Its Rust type, for errors.
    pub rust_name: fn() -> &'static str,
    /// The identity of its Rust type.
    pub type_id: fn() -> TypeId,
    /// Every message that it handles.
    pub messages: &'static [MessageOf],
    /// How to run it as an entity; `None` if it has no persistent state or no `new(EntityId)`.
    pub entity: Option<&'static dyn EntityType>,
    /// How to run it as a singleton without state; `None` if it has no `new(EntityId)`.
    pub stateless: Option<&'static dyn EntityType>,
    /// How other nodes reach it.
    pub remote: Option<&'static dyn RemoteType>,
    /// How another node has one made here; `None` if it has no `new` that could be called from there.
    pub spawn: Option<&'static dyn SpawnType>,
}

inventory::collect!(Registration);

/// Tells at compile time whether an actor can be an entity: the inherent constant wins where its bounds hold, else
/// [`NotAnEntity`]'s stands.
pub struct Probe<A>(PhantomData<A>);

impl<A: Registered> Probe<A> {
    /// The messages of `A`.
    pub const MESSAGES: &'static [MessageOf] = A::MESSAGES;
    /// How other nodes reach an `A`.
    pub const REMOTE: Option<&'static dyn RemoteType> = Some(&remote::Of::<A>::NEW);
}

impl<A: Registered + Persistent + FromId> Probe<A> {
    /// How to run `A` as an entity.
    pub const ENTITY: Option<&'static dyn EntityType> = Some(&entity::Of::<A, entity::Fields>::NEW);
}

impl<A: Registered + FromId> Probe<A> {
    /// How to run `A` as a singleton without state.
    pub const STATELESS: Option<&'static dyn EntityType> = Some(&entity::Of::<A, entity::Nothing>::NEW);
}

/// The other half of [`Probe`].
pub trait NotAnEntity {
    /// Only for an `A` that does not compile: a message of it cannot be sent to another node.
    const MESSAGES: &'static [MessageOf] = &[];
    /// Only for an `A` that does not compile.
    const REMOTE: Option<&'static dyn RemoteType> = None;
    /// `A` cannot be an entity.
    const ENTITY: Option<&'static dyn EntityType> = None;
    /// `A` cannot be made from an id.
    const STATELESS: Option<&'static dyn EntityType> = None;
}

impl<A> NotAnEntity for Probe<A> {}

/// Every actor type of the program, by wire name.
#[derive(Clone)]
pub(crate) struct Registry(Arc<HashMap<&'static str, &'static Registration>>);

impl Registry {
    /// Reads what the macros registered, and checks that no two types share a name and no two messages of an actor a tag.
    pub(crate) fn load() -> Result<Self, RegistryError> {
        Self::check(inventory::iter::<Registration>.into_iter())
    }

    fn check(all: impl Iterator<Item = &'static Registration>) -> Result<Self, RegistryError> {
        let mut types: HashMap<&'static str, &'static Registration> = HashMap::new();
        for one in all {
            if let Some(other) = types.insert(one.name, one) {
                let (first, second) = ((other.rust_name)(), (one.rust_name)());
                return Err(RegistryError::SameName { name: one.name, first, second });
            }
            let mut tags = HashMap::new();
            for &MessageOf { tag, name, .. } in one.messages {
                if let Some(other) = tags.insert(tag, name) {
                    return Err(RegistryError::SameTag { actor: one.name, tag, first: other, second: name });
                }
            }
        }
        Ok(Self(Arc::new(types)))
    }

    /// All types of the program.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Registration> {
        self.0.values().copied()
    }

    /// The type with this wire name, if the program has it.
    pub(crate) fn get(&self, name: &str) -> Option<&'static Registration> {
        self.0.get(name).copied()
    }
}

/// The program's actor types contradict each other. Reported when the system starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two actor types have one wire name.
    #[error(
        "`{first}` and `{second}` both have the wire name `{name}`: give one of them another, `#[actor(name = \"…\")]`"
    )]
    SameName {
        /// The name.
        name: &'static str,
        /// One Rust type.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Two messages of one actor have the same tag.
    #[error("the messages `{first}` and `{second}` of `{actor}` share the wire tag {tag:#010x}: rename one of them")]
    SameTag {
        /// The wire name of the actor.
        actor: &'static str,
        /// The tag.
        tag: u32,
        /// One message.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}
