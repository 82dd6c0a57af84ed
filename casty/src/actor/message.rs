//! What can be sent.

use crate::codec::{DecodeError, EncodeError, Shape};

/// A type that can be sent to an actor on the same node.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "this type cannot be sent to an actor",
    note = "put `#[message]` on its definition; it then gets `Serialize`, `Deserialize` and a wire name"
)]
pub trait Message: Send + Sized + 'static {}

/// A message that can travel to another node.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to another node",
    label = "this message has no wire format",
    note = "put `#[message]` on its definition, or `#[actor(local)]` on an actor that never leaves its node"
)]
pub trait WireMessage: Message {
    /// The wire name, the same on every node.
    const NAME: &'static str;
    /// Raised when its shape changes; messages of two versions are two messages. The first is 1.
    const VERSION: u32;
    /// The [tag](crate::codec::tag_of_version) of the name and the version.
    const TAG: u32;

    /// What it looks like in bytes.
    fn shape() -> Shape;

    /// Appends the message to `out`.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Reads a message that fills `bytes`.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

/// A reply that can travel to another node: any type that serde can write and read.
#[diagnostic::on_unimplemented(
    message = "the reply type `{Self}` cannot be sent to another node",
    label = "this reply is not `Serialize` and `Deserialize`",
    note = "put `#[message]` on its definition, or `#[actor(local)]` on an actor that never leaves its node"
)]
pub trait WireReply: Send + Sized + 'static {
    /// What it looks like in bytes.
    fn shape() -> Shape;

    /// Appends the reply to `out`.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Reads a reply that fills `bytes`.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;
}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static> WireReply for T {
    fn shape() -> Shape {
        Shape::of::<T>()
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        crate::codec::encode_into(self, out)
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        crate::codec::decode(bytes)
    }
}
