//! How values become bytes. The format is named in one place, [`Bincode`], and its id travels in the handshake.
//!
//! For who reads what casty stored.

mod bincode;
pub(crate) mod events;
pub(crate) mod fields;
mod shape;
mod tag;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::bincode::Bincode;
pub use shape::Shape;
pub use tag::{tag, tag_of_version};

/// The codec of messages, replies, state and log entries.
pub type Wire = Bincode;

/// The largest value that is encoded or decoded, in bytes. A length that claims more is refused before it is allocated, and
/// in a short input one that claims much more than the input has.
pub const VALUE_BYTES_MAX: usize = 64 << 20;

/// A format for serde values.
pub trait Codec {
    /// Told in the handshake: nodes with different codecs refuse each other.
    const ID: u8;

    /// Appends `value` to `out`. On an error, `out` may hold a part of it.
    fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Decodes a value that fills `bytes` to the last byte.
    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError>;

    /// Decodes a value at the start of `bytes`, which may borrow from them, and says how many bytes it took.
    fn decode_prefix<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), DecodeError>;
}

/// What most messages and replies fit into, in bytes.
const USUAL_BYTES: usize = 128;

/// Where a message or a reply is encoded: it need not grow from nothing, step by step.
pub(crate) fn buffer() -> Vec<u8> {
    Vec::with_capacity(USUAL_BYTES)
}

/// Encodes with [`Wire`].
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    Wire::encode_into(value, &mut out)?;
    Ok(out)
}

/// Encodes with [`Wire`] to the end of `out`.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    Wire::encode_into(value, out)
}

/// Decodes with [`Wire`]. Bytes that are left over are an error.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    Wire::decode(bytes)
}

/// Decodes a value at the start of `bytes` with [`Wire`], and says how many bytes it took.
pub fn decode_prefix<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, usize), DecodeError> {
    Wire::decode_prefix(bytes)
}

/// A value could not become bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode a `{of}`: {why}")]
#[non_exhaustive]
pub struct EncodeError {
    /// The Rust type of the value.
    pub of: &'static str,
    /// What the format said.
    pub why: String,
}

/// Bytes could not become a value. They came from a peer with another program, or were damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes do not spell a value of this type.
    #[error("{bytes} bytes are not a `{of}`: {why}; do both nodes run the same version?")]
    Malformed {
        /// The Rust type that was asked for.
        of: &'static str,
        /// How many bytes there were.
        bytes: usize,
        /// What the format said.
        why: String,
    },
    /// A value was read, and bytes were left over.
    #[error("a `{of}` ends after {used} of {bytes} bytes; do both nodes run the same version?")]
    Trailing {
        /// The Rust type that was asked for.
        of: &'static str,
        /// The bytes that the value took.
        used: usize,
        /// How many bytes there were.
        bytes: usize,
    },
    /// An actor does not handle the message with this wire tag.
    #[error("`{actor}` handles no message with wire tag {tag:#010x}; do both nodes run the same version?")]
    UnknownTag {
        /// The wire name of the actor.
        actor: &'static str,
        /// The tag that came.
        tag: u32,
    },
}
