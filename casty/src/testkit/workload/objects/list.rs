//! A list that is only appended to. Its state is made of events, and snapshots are so frequent that runs have many of them.

use crate::prelude::*;

#[message]
pub(in crate::testkit::workload) struct Append {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) token: u64,
}

#[message]
pub(in crate::testkit::workload) struct Tokens {
    pub(in crate::testkit::workload) ask: u64,
}

#[message]
pub(in crate::testkit::workload) struct Appended {
    token: u64,
}

#[persistent(events = Appended, snapshot_every = 5)]
pub(in crate::testkit::workload) struct List {
    tokens: Vec<u64>,
}

impl EventSourced for List {
    fn apply(&mut self, event: Appended) {
        self.tokens.push(event.token);
    }
}

#[actor(name = "casty.testkit.List")]
impl List {
    fn new(_: EntityId) -> Self {
        Self { tokens: Vec::new() }
    }

    #[handler]
    fn append(&mut self, msg: Append, ctx: &mut Ctx<Self>) -> (u64, u64) {
        ctx.emit(self, Appended { token: msg.token });
        (msg.ask, self.tokens.len() as u64)
    }

    #[handler]
    fn tokens(&self, msg: Tokens) -> (u64, Vec<u64>) {
        (msg.ask, self.tokens.clone())
    }
}
