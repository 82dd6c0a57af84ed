//! What becomes of an actor that failed, and of those that depend on it.

mod family;
mod regroup;
mod restarts;

use std::any::Any;
use std::fmt;

pub(super) use self::family::Family;
pub(super) use self::regroup::Halt;
pub(super) use self::restarts::Rebirth;
pub use self::restarts::Restarts;

/// What becomes of an actor after it failed; the answer of `on_error`.
///
/// An entity has one answer only: it goes on as its last record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Directive {
    /// Go on with the next message, with the state as the failure left it.
    Resume,
    /// Make the actor anew and go on with the next message, as [`Restarts`] says. For an actor that cannot be made anew,
    /// since it was spawned with `spawn` and not with `spawn_with`, it means [`Stop`](Self::Stop).
    Restart,
    /// Stop the actor. What is queued goes to dead letters.
    Stop,
    /// Stop the actor, and have its parent fail of the same: the parent's `on_error` is asked. Without a parent it means
    /// [`Stop`](Self::Stop).
    Escalate,
}

/// What made an actor fail: a handler that panicked, or a child that gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The text of the panic, or of the error; empty if there is none.
    pub reason: String,
    /// The child whose failure this was first, as the log names it; `None` if it is the actor's own.
    pub child: Option<String>,
}

impl Failure {
    /// Reads the text out of what `catch_unwind` returned.
    pub(crate) fn from_panic(panic: Box<dyn Any + Send>) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self::from_text(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
    }

    /// A failure that was no panic.
    pub(crate) fn from_text(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), child: None }
    }

    /// The same, as the parent of `child` sees it.
    pub(super) fn of_child(mut self, child: String) -> Self {
        self.child.get_or_insert(child);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.child {
            Some(child) => write!(f, "its child {child} failed: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// What the restart of one child means for the other children of its parent. [`Ctx::supervise`](super::Ctx::supervise) sets it.
///
/// Where several restart, all of them stop first, the youngest first, and start again in the order in which they were
/// spawned. Those that cannot be made anew stop. (The strategies are those of Erlang's supervisors.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// Nothing: they are independent.
    #[default]
    OneForOne,
    /// All of them restart too.
    OneForAll,
    /// Those that were spawned after it restart too: they may depend on it.
    RestForOne,
}
