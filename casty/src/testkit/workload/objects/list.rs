//! A list that is only appended to.

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

#[persistent]
pub(in crate::testkit::workload) struct List {
    tokens: Vec<u64>,
}

#[actor(name = "casty.testkit.List")]
impl List {
    fn new(_: EntityId) -> Self {
        Self { tokens: Vec::new() }
    }

    #[handler]
    fn append(&mut self, msg: Append) -> (u64, u64) {
        self.tokens.push(msg.token);
        (msg.ask, self.tokens.len() as u64)
    }

    #[handler]
    fn tokens(&self, msg: Tokens) -> (u64, Vec<u64>) {
        (msg.ask, self.tokens.clone())
    }
}
