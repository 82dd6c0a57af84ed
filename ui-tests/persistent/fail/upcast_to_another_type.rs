use casty::prelude::*;

#[message]
struct Booked(i64);

#[persistent(version = 2, events = Booked, upcast(1 = cents))]
struct Ledger {
    cents: i64,
}

fn cents(euros: i64) -> i64 {
    100 * euros
}

impl EventSourced for Ledger {
    fn apply(&mut self, Booked(cents): Booked) {
        self.cents += cents;
    }
}

fn main() {}
