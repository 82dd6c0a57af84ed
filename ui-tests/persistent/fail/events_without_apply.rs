use casty::prelude::*;

#[message]
enum LedgerEvent {
    Booked(i64),
}

#[persistent(events = LedgerEvent)]
struct Ledger {
    cents: i64,
}

fn main() {}
