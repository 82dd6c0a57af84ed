use casty::persistent;

#[persistent(snapshot_every = 100)]
struct Ledger {
    cents: u64,
}

fn main() {}
