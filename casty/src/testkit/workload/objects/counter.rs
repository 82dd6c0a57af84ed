//! A total that only grows.

use crate::prelude::*;

#[message]
pub(in crate::testkit::workload) struct Add {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) amount: u64,
}

#[message]
pub(in crate::testkit::workload) struct Total {
    pub(in crate::testkit::workload) ask: u64,
}

#[persistent]
pub(in crate::testkit::workload) struct Counter {
    total: u64,
}

#[actor(name = "casty.testkit.Counter")]
impl Counter {
    fn new(_: EntityId) -> Self {
        Self { total: 0 }
    }

    /// It lets others run in the middle, so that it can be cancelled there.
    #[handler]
    async fn add(&mut self, msg: Add) -> (u64, u64) {
        let before = self.total;
        tokio::task::yield_now().await;
        self.total = before + msg.amount;
        (msg.ask, self.total)
    }

    #[handler]
    fn total(&self, msg: Total) -> (u64, u64) {
        (msg.ask, self.total)
    }
}
