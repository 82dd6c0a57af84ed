//! How a reply finds its asker: the port that travels with a message, the slot in which the asker waits, and the sweeper
//! that ends what takes too long.

mod outcome;
mod port;
mod sink;
mod slot;
mod stream;
mod sweeper;
mod unanswered;
mod wire_slot;

#[cfg(test)]
mod tests;

pub use outcome::IntoOutcome;
pub use port::Port;
pub use sink::{ReplySink, SinkReply};
pub use stream::{ReplyStream, StreamError, StreamSendError, StreamSender};
pub use wire_slot::ReplySlot;

pub(crate) use slot::{Answer, Wait, pair};
pub(crate) use sweeper::{Due, Sweeper};
pub(crate) use unanswered::drop_displaced;
