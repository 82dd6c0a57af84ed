//! What travels on a connection: frames, the handshake that opens a link, and who a node says that it is.

mod error;
mod frame;
mod handshake;
mod kind;
mod member;

pub(crate) use error::{FrameError, HandshakeError, TooLarge};
pub(crate) use frame::{FRAME_BYTES_MAX, FrameReader, append};
pub(crate) use handshake::{HANDSHAKE_BYTES_MAX, Hello, Purpose, Reason, Refusal};
pub use kind::Kind;
pub use member::{Member, NAME_BYTES_MAX, Role};
