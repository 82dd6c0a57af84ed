//! The first version of an entity.

use casty::prelude::*;
use casty_tests::meter::{Advance, Describe};

/// Counts.
#[persistent]
pub(crate) struct Meter {
    count: u64,
}

#[actor(name = "tests.Meter")]
impl Meter {
    fn new(_: EntityId) -> Self {
        Self { count: 0 }
    }

    #[handler]
    fn advance(&mut self, msg: Advance) -> u64 {
        self.count += msg.by;
        self.count
    }

    #[handler]
    fn describe(&self, _: Describe) -> String {
        self.count.to_string()
    }
}
