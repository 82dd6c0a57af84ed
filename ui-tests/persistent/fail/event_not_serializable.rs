use casty::prelude::*;

enum LedgerEvent {
    Booked(i64),
}

#[persistent(events = LedgerEvent)]
struct Ledger {
    cents: i64,
}

impl EventSourced for Ledger {
    fn apply(&mut self, event: LedgerEvent) {
        let LedgerEvent::Booked(cents) = event;
        self.cents += cents;
    }
}

fn main() {}
