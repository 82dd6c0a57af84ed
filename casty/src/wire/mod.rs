//! What travels on a connection: frames, the handshake that opens a link, and who a node says that it is.

mod compress;
mod error;
mod frame;
mod handshake;
mod kind;
mod labels;
mod member;

pub(crate) use compress::{expand, shrink};
pub(crate) use error::{FrameError, HandshakeError, TooLarge};
pub(crate) use frame::{FRAME_BYTES_MAX, FrameReader, HEAD_BYTES, append};
pub(crate) use handshake::{
    Channel, Exchange, Features, HANDSHAKE_BYTES_MAX, Hello, NONCE_BYTES, Nonce, PREFACE_FRAME_BYTES, Preface, Purpose,
    Reason, Side, Terms, Versions,
};
pub use handshake::{SECRET_BYTES_MIN, Secret};
pub use kind::Kind;
pub(crate) use labels::Labels;
pub use member::{Member, NAME_BYTES_MAX, Role};
