//! Why a port is dropped that was not answered.

use std::cell::Cell;

/// What an asker is told whose port was dropped.
pub(super) enum Unanswered {
    /// The handler panicked.
    Failed,
    /// The actor stopped.
    Stopped,
    /// Its message had to go, since the mailbox was full.
    Displaced,
}

thread_local! {
    static DISPLACING: Cell<bool> = const { Cell::new(false) };
}

/// Why the port is dropped that is dropped at this moment.
pub(super) fn unanswered() -> Unanswered {
    if std::thread::panicking() {
        return Unanswered::Failed;
    }
    match DISPLACING.try_with(Cell::get) {
        Ok(true) => Unanswered::Displaced,
        Ok(false) | Err(_) => Unanswered::Stopped,
    }
}

/// Drops a message that had to go, since the mailbox was full; its asker is told that.
pub(crate) fn drop_displaced<T>(msg: T) {
    /// Also if the message's destructor panics.
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            let _ = DISPLACING.try_with(|displacing| displacing.set(false));
        }
    }
    let _done = Done;
    let _ = DISPLACING.try_with(|displacing| displacing.set(true));
    drop(msg);
}
