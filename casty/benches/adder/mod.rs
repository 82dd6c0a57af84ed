//! The actor of the benches.

use casty::prelude::*;

#[message]
pub(crate) struct Add(pub(crate) u64);

#[message]
pub(crate) struct Sum;

pub(crate) struct Adder(pub(crate) u64);

#[actor]
impl Adder {
    #[handler]
    fn add(&mut self, Add(amount): Add) {
        self.0 += amount;
    }

    #[handler]
    fn sum(&self, _: Sum) -> u64 {
        self.0
    }

    #[message]
    pub(crate) async fn sum_later(&self) -> u64 {
        self.0
    }
}
