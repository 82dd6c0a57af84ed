//! Messages that nobody handled: counted by reason, and shown to whoever subscribes.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;

use super::{Message, Topic, meters};

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

/// A dead letter is published on this thread. Those that this leads to are counted and not published: a subscriber that
/// has no room would be told of itself, without end.
struct Publishing;

thread_local! {
    static PUBLISHING: Cell<bool> = const { Cell::new(false) };
}

impl Publishing {
    fn begin() -> Option<Self> {
        let before = PUBLISHING.try_with(|publishing| publishing.replace(true));
        matches!(before, Ok(false)).then(|| Self)
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        let _ = PUBLISHING.try_with(|publishing| publishing.set(false));
    }
}

impl Message for DeadLetter {}

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
    /// It had to go, since the mailbox was full: [`Overflow`](super::Overflow) says so.
    Displaced,
}

impl DeadReason {
    const ALL: [Self; 5] = [Self::Stopped, Self::LeftBehind, Self::NoRoom, Self::Unavailable, Self::Displaced];

    /// The label in metrics.
    const fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::LeftBehind => "left_behind",
            Self::NoRoom => "no_room",
            Self::Unavailable => "unavailable",
            Self::Displaced => "displaced",
        }
    }
}

/// Where the messages go that nobody handled.
pub struct DeadLetters {
    counts: [AtomicU64; DeadReason::ALL.len()],
    meters: [metrics::Counter; DeadReason::ALL.len()],
    receivers: broadcast::Sender<DeadLetter>,
    topic: Topic<DeadLetter>,
}

impl DeadLetters {
    pub(crate) fn new(system: &str) -> Self {
        let (receivers, topic) = (broadcast::Sender::new(BACKLOG), Topic::new("dead letters".into()));
        let meters = DeadReason::ALL.map(|reason| meters::dead_letters(system, reason.name()));
        Self { counts: Default::default(), meters, receivers, topic }
    }

    /// How many there were for this reason.
    pub fn count(&self, reason: DeadReason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Shows every dead letter from now on, to whoever is no actor.
    pub fn subscribe(&self) -> broadcast::Receiver<DeadLetter> {
        self.receivers.subscribe()
    }

    /// The topic on which every dead letter is published. What that leads to, if a subscriber has no room, is counted only.
    pub fn topic(&self) -> &Topic<DeadLetter> {
        &self.topic
    }

    /// Counts one. `actor` is only called if somebody has subscribed.
    #[cold]
    pub(crate) fn record(&self, reason: DeadReason, message: &'static str, actor: impl FnOnce() -> String) {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed);
        self.meters[reason as usize].increment(1);
        let (received, published) = (self.receivers.receiver_count() > 0, self.topic.subscribers() > 0);
        if !received && !published {
            return;
        }
        let letter = DeadLetter { actor: actor(), message, reason };
        if published && let Some(_publishing) = Publishing::begin() {
            self.topic.publish(letter.clone());
        }
        // Refused only if the last receiver has just left.
        let _ = self.receivers.send(letter);
    }
}
