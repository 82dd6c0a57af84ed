use std::cell::Cell;

use casty::{actor, message};

#[message]
struct GetBalance;

struct Account {
    reads: Cell<u64>,
}

#[actor]
impl Account {
    #[handler]
    async fn balance(&self, _: GetBalance) -> u64 {
        self.reads.set(self.reads.get() + 1);
        self.reads.get()
    }
}

fn main() {}
