use casty::persistent;

#[persistent(events = u64, snapshot_every = 0)]
struct Ledger {
    cents: u64,
}

fn main() {}
