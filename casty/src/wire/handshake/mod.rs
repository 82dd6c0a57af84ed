//! The words with which a connection begins, as values: who says what, what it proves, and why two nodes part.
//!
//! ```text
//! dialler                                      acceptor
//!   preface ─────────────────────────────────────►      what it speaks, and 32 bytes that it never said before
//!          ◄───────────────────────────────────── preface
//!   both compare the two prefaces: the same terms, or the same reason to part
//!   proof ‖ hello ───────────────────────────────►      who it is and what it wants; read once the proof holds
//!          ◄─────────────────────── proof ‖ welcome    who answers; or: proof ‖ refusal; or: unproven
//! ```
//!
//! Prefaces are plain bytes of a fixed length that never change, so nodes that share neither version nor codec can tell each
//! other why they part: each computes it from both prefaces, and nothing more has to be said. Everything after them may
//! change with the version.
//!
//! A *proof* is an HMAC-SHA256, keyed with the shared secret, over the side that proves, everything that was said on the
//! connection, and the word that it stands before. So the secret never travels; what was recorded is worth nothing on
//! another connection, whose nonces differ; what a node said cannot be turned back on it, since the side is part of it; and
//! nobody in between can change the terms or who a node says that it is. Inside TLS, "everything that was said" begins with
//! bytes that only the two ends of the TLS connection know, so a word belongs to one connection. Without a secret the key is
//! empty: the proof binds words to a TLS connection then, and in plaintext it proves nothing.
//!
//! An acceptor decodes nothing before the proof holds, and a dialler neither: a stranger can make no node believe that it was
//! replaced.

mod exchange;
mod preface;
mod secret;
mod terms;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use exchange::{Channel, Exchange, Side};
pub(crate) use preface::{NONCE_BYTES, Nonce, PREFACE_FRAME_BYTES, Preface};
pub use secret::{SECRET_BYTES_MIN, Secret};
pub(crate) use terms::{Features, Terms, Versions};
pub(crate) use words::{Hello, Purpose, Reason};

/// The largest frame of a handshake.
pub(crate) const HANDSHAKE_BYTES_MAX: usize = 4 << 10;
