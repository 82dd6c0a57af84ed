//! An actor that sends to journals and asks them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use casty::prelude::*;

use crate::gates::Gate;
use crate::journal::{Append, Journal};

/// The way from a desk to the journals, by the desk's id.
static JOURNALS: LazyLock<Mutex<HashMap<String, Sharded<Journal>>>> = LazyLock::new(Mutex::default);

/// Tells the desk with this id which journals it writes to.
pub fn give_journals(desk: &str, journals: &Sharded<Journal>) {
    JOURNALS.lock().unwrap_or_else(PoisonError::into_inner).insert(desk.to_owned(), journals.clone());
}

/// Has the desk send a number to a journal.
#[message]
pub struct Forward {
    /// The journal.
    pub to: String,
    /// The number.
    pub n: u64,
}

/// Has the desk ask a journal to append a number.
#[message]
pub struct Consult {
    /// The journal.
    pub to: String,
    /// The number.
    pub n: u64,
}

/// Makes the handler panic after it has sent a number.
#[message]
pub struct ForwardAndPanic {
    /// The journal.
    pub to: String,
    /// The number.
    pub n: u64,
}

/// Asks how often the desk has written.
#[message]
pub struct Handled;

/// A desk. Its state is how often it has sent or asked.
#[persistent(handled)]
pub struct Desk {
    id: EntityId,
    handled: u64,
}

#[actor(name = "tests.Desk")]
impl Desk {
    fn new(id: EntityId) -> Self {
        Self { id, handled: 0 }
    }

    #[handler]
    async fn forward(&mut self, msg: Forward) -> u64 {
        self.handled += 1;
        let sent = self.journals().entity(msg.to).send(Append { n: msg.n }).await;
        Gate::of(self.id.as_str()).enter();
        if sent.is_ok() { self.handled } else { 0 }
    }

    #[handler]
    async fn forward_and_panic(&mut self, msg: ForwardAndPanic) -> u64 {
        self.handled += 1;
        let _ = self.journals().entity(msg.to).send(Append { n: msg.n }).await;
        fail(&self.id)
    }

    #[handler]
    async fn consult(&mut self, msg: Consult) -> Result<u64, String> {
        self.handled += 1;
        Gate::of(self.id.as_str()).enter();
        let asked = self.journals().entity(msg.to).ask(Append { n: msg.n }).await;
        asked.map_err(|error| error.to_string())
    }

    #[handler]
    fn handled(&self, _: Handled) -> u64 {
        self.handled
    }

    fn journals(&self) -> Sharded<Journal> {
        let all = JOURNALS.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(self.id.as_str()).expect("the test gives the desk its journals").clone()
    }
}

#[expect(clippy::panic, reason = "a handler that panics is what the tests want")]
fn fail(id: &EntityId) -> u64 {
    panic!("{id} panics");
}
