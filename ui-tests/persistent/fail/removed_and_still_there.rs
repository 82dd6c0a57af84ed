use casty::persistent;

#[persistent(version = 2, removed(limit))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
