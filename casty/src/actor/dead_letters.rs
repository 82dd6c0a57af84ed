//! Messages that nobody handled: counted by reason, and shown to whoever subscribes.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;

/// How many dead letters a slow subscriber may be behind. Past it, it misses the oldest and is told how many.
const BACKLOG: usize = 256;

/// A message that nobody handled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The actor it was for: its type, and its name if it has one.
    pub actor: String,
    /// The type of the message.
    pub message: &'static str,
    /// Why nobody handled it.
    pub reason: DeadReason,
}

/// Why nobody handled a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeadReason {
    /// It was sent to an actor that had stopped.
    Stopped,
    /// It lay in the mailbox of an actor that stopped.
    LeftBehind,
    /// It had been taken, and there was no room for it.
    NoRoom,
    /// It had been taken, and could not be brought to its actor.
    Unavailable,
}

/// Where the messages go that nobody handled.
pub struct DeadLetters {
    counts: [AtomicU64; 4],
    subscribers: broadcast::Sender<DeadLetter>,
}

impl DeadLetters {
    pub(crate) fn new() -> Self {
        Self { counts: Default::default(), subscribers: broadcast::Sender::new(BACKLOG) }
    }

    /// How many there were for this reason.
    pub fn count(&self, reason: DeadReason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Shows every dead letter from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<DeadLetter> {
        self.subscribers.subscribe()
    }

    /// Counts one. `actor` is only called if somebody has subscribed.
    #[cold]
    pub(crate) fn record(&self, reason: DeadReason, message: &'static str, actor: impl FnOnce() -> String) {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed);
        if self.subscribers.receiver_count() > 0 {
            // Refused only if the last subscriber has just left.
            let _ = self.subscribers.send(DeadLetter { actor: actor(), message, reason });
        }
    }
}
