//! An actor that keeps everything in the order in which it came.

use casty::prelude::*;

use crate::gates::Gate;

/// Adds a number.
#[message]
pub struct Append {
    /// The number.
    pub n: u64,
}

/// Adds a number once the gate of the journal's id lets it.
#[message]
pub struct AppendLater {
    /// The number.
    pub n: u64,
}

/// Asks for all numbers.
#[message]
pub struct Entries;

/// A list of numbers. It also counts its lives: each begins with `on_start`.
#[persistent(entries, lives)]
pub struct Journal {
    id: EntityId,
    entries: Vec<u64>,
    lives: u64,
}

/// Asks how many lives the entity has begun.
#[message]
pub struct Lives;

#[actor(name = "tests.Journal")]
impl Journal {
    fn new(id: EntityId) -> Self {
        Self { id, entries: Vec::new(), lives: 0 }
    }

    fn on_start(&mut self) -> Result<(), BoxError> {
        self.lives += 1;
        Ok(())
    }

    /// Answers how often a handler of this kind ran for this id, in the whole process: a rerun answers something else.
    #[handler]
    fn append(&mut self, msg: Append) -> u64 {
        self.entries.push(msg.n);
        Gate::of(self.id.as_str()).enter()
    }

    #[handler]
    async fn append_later(&mut self, msg: AppendLater) -> u64 {
        let gate = Gate::of(self.id.as_str());
        gate.enter();
        gate.pass().await;
        self.entries.push(msg.n);
        msg.n
    }

    #[handler]
    fn entries(&self, _: Entries) -> Vec<u64> {
        self.entries.clone()
    }

    #[handler]
    fn lives(&self, _: Lives) -> u64 {
        self.lives
    }
}
