use casty::prelude::*;

#[message]
enum LedgerEvent {
    Booked(i64),
}

#[persistent(events = LedgerEvent)]
struct Ledger {
    cents: i64,
}

impl EventSourced for Ledger {
    fn apply(&mut self, cents: i64) {
        self.cents += cents;
    }
}

fn main() {}
