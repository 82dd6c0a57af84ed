//! What can go wrong when an actor is spawned, found, asked or sent to.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use super::RegistryError;

/// Why an ask brought no reply. `E` is the handler's own error.
///
/// [`Unavailable`](Self::Unavailable), [`Cycle`](Self::Cycle) and [`MailboxFull`](Self::MailboxFull) mean that the request was certainly not
/// applied; [`Timeout`](Self::Timeout) and [`Unknown`](Self::Unknown) that it may have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError<E = Infallible> {
    /// The handler returned this `Err`.
    #[error("the handler returned an error: {0:?}")]
    Handler(E),
    /// The handler panicked.
    #[error("the handler panicked before it replied: the log of the actor's node has the text of the panic")]
    Failed,
    /// No reply came in time.
    #[error("no reply within {after:?}: the request may still be applied; allow more time with `.timeout(..)`")]
    Timeout {
        /// The time that was allowed.
        after: Duration,
    },
    /// The mailbox had no room in time: the request was not delivered.
    #[error("the mailbox stayed full until the deadline and the request was not delivered: slow down, or ask later")]
    MailboxFull,
    /// The actor has stopped, or stopped before it replied.
    #[error("the actor has stopped, or stopped before it replied: spawn it again, or look it up again")]
    Stopped,
    /// The actor that was asked waits itself, directly or not, for the one that asks: neither would ever go on.
    #[error("not asked, since it would never be answered: {path}; have one of them send, or pipe the answer to itself")]
    Cycle {
        /// Who waits for whom.
        path: String,
    },
    /// The request was not applied, and could not be.
    #[error("unavailable, and nothing was applied: {reason}; it is safe to ask again")]
    Unavailable {
        /// What stood in the way.
        reason: String,
    },
    /// The request may or may not have been applied.
    #[error("the outcome is unknown: {reason}; read the state before you ask again")]
    Unknown {
        /// What happened.
        reason: String,
    },
}

/// [`AskError`] without the handler's own error: what the framework has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskFailure {
    /// [`AskError::Failed`].
    Failed,
    /// [`AskError::Timeout`].
    Timeout {
        /// The time that was allowed.
        after: Duration,
    },
    /// [`AskError::MailboxFull`].
    MailboxFull,
    /// [`AskError::Stopped`].
    Stopped,
    /// [`AskError::Cycle`].
    Cycle {
        /// Who waits for whom.
        path: String,
    },
    /// [`AskError::Unavailable`].
    Unavailable {
        /// What stood in the way.
        reason: String,
    },
    /// [`AskError::Unknown`].
    Unknown {
        /// What happened.
        reason: String,
    },
}

impl AskFailure {
    /// The label in metrics.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Timeout { .. } => "timeout",
            Self::MailboxFull => "mailbox_full",
            Self::Stopped => "stopped",
            Self::Cycle { .. } => "cycle",
            Self::Unavailable { .. } => "unavailable",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl<E> From<AskFailure> for AskError<E> {
    fn from(failure: AskFailure) -> Self {
        match failure {
            AskFailure::Failed => Self::Failed,
            AskFailure::Timeout { after } => Self::Timeout { after },
            AskFailure::MailboxFull => Self::MailboxFull,
            AskFailure::Stopped => Self::Stopped,
            AskFailure::Cycle { path } => Self::Cycle { path },
            AskFailure::Unavailable { reason } => Self::Unavailable { reason },
            AskFailure::Unknown { reason } => Self::Unknown { reason },
        }
    }
}

impl fmt::Display for AskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        AskError::<Infallible>::from(self.clone()).fmt(f)
    }
}

impl std::error::Error for AskFailure {}

/// Why a message was not sent. It hands the message back, and is an `Error` whether or not `M` is `Debug`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError<M> {
    /// The mailbox, or the window of messages under way, has no room.
    #[error("cannot send a `{}`: there is no room; wait for room with `send`, or send it later", name::<M>())]
    Full(M),
    /// The actor has stopped.
    #[error("cannot send a `{}`: the actor has stopped; spawn it again, or look it up again", name::<M>())]
    Stopped(M),
    /// The actor cannot be reached.
    #[error("cannot send a `{}`: {reason}; it is safe to send it again", name::<M>())]
    Unavailable {
        /// The message.
        message: M,
        /// What stood in the way.
        reason: String,
    },
    /// The message was used up before the sending failed: there is nothing to hand back.
    #[error("lost a `{}`: {reason}", name::<M>())]
    Lost {
        /// What happened.
        reason: String,
    },
}

impl<M> SendError<M> {
    /// The message, unless it was lost.
    pub fn into_message(self) -> Option<M> {
        match self {
            Self::Full(message) | Self::Stopped(message) | Self::Unavailable { message, .. } => Some(message),
            Self::Lost { .. } => None,
        }
    }
}

impl<M> fmt::Debug for SendError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Stopped(_) => f.write_str("Stopped(..)"),
            Self::Unavailable { reason, .. } => f.debug_struct("Unavailable").field("reason", reason).finish(),
            Self::Lost { reason } => f.debug_struct("Lost").field("reason", reason).finish(),
        }
    }
}

/// Why an actor was not spawned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// A living actor has the name. It was left as it is.
    #[error("cannot spawn an actor named `{name}`: a living actor has that name; take another, or `lookup` that one")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// An actor of another node has the name. Names are unique in a cluster.
    #[error("cannot spawn an actor named `{name}`: an actor of node {node} has the name; look it up with `lookup`")]
    NameTakenElsewhere {
        /// The name.
        name: String,
        /// The node where it lives.
        node: String,
    },
    /// The actor cannot be known to other nodes, as one with a name is.
    #[error("cannot spawn an actor named `{name}`: {reason}")]
    NotExported {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The cluster could not be asked for the name.
    #[error(
        "cannot spawn an actor named `{name}`: the cluster did not give the name within {after:?}; does a majority of its \
         nodes run?"
    )]
    NameUnavailable {
        /// The name.
        name: String,
        /// How long was tried.
        after: Duration,
    },
    /// A living actor is the one that is found by this type. It was left as it is.
    #[error("cannot spawn another unique `{actor}`: one lives, or ends at this moment; use it, with `system.unique()`")]
    TypeTaken {
        /// The wire name of the type.
        actor: &'static str,
    },
    /// The system was shut down.
    #[error("cannot spawn an actor: the system `{system}` was shut down; start another")]
    ShutDown {
        /// The name of the system.
        system: String,
    },
    /// There is no tokio runtime to run the actor on.
    #[error(
        "cannot spawn an actor: this thread is in no tokio runtime; call it from `#[tokio::main]` or `#[tokio::test]`"
    )]
    NoRuntime,
    /// The closure of `spawn_with` panicked.
    #[error("cannot spawn an actor: the closure that makes it panicked: {reason}")]
    Panicked {
        /// The text of the panic.
        reason: String,
    },
    /// The parent, or the instance of it that asked for a child, has ended or is about to.
    #[error("cannot spawn a child: its parent is about to stop or restart; spawn it before, or without a parent")]
    ParentEnded,
    /// An entity tried to spawn a child: its handlers may run again elsewhere, and a child would not.
    #[error("an entity cannot have children: spawn the actor with `ctx.system().spawn(..)`, or send to another entity")]
    InEntity,
    /// The actor types of the program contradict each other.
    #[error("cannot spawn an actor: the program's actor types contradict each other")]
    Registry(#[from] RegistryError),
}

/// Why an actor was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No living actor has the name.
    #[error("no living actor of the system `{system}` is named `{name}`: spawn it with `.named(\"{name}\")`")]
    NotFound {
        /// The name.
        name: String,
        /// The name of the system.
        system: String,
    },
    /// No living actor is found by the type.
    #[error("the system `{system}` has no unique `{actor}`: spawn it with `.unique()`")]
    NotUnique {
        /// The wire name of the type.
        actor: &'static str,
        /// The name of the system.
        system: String,
    },
    /// The actor with the name is of another type.
    #[error("the actor named `{name}` is a `{found}` and not a `{expected}`: look it up with its own type")]
    WrongType {
        /// The name.
        name: String,
        /// The type that was asked for.
        expected: &'static str,
        /// The type that it is of.
        found: String,
    },
}

/// Why a topic cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The topic of this name is of another type.
    #[error("the topic `{name}` is of `{found}` and not of `{expected}`: take another name, or publish that type")]
    WrongType {
        /// The name.
        name: String,
        /// The type that was asked for.
        expected: &'static str,
        /// The type of its messages.
        found: &'static str,
    },
}

fn name<M>() -> &'static str {
    std::any::type_name::<M>()
}
