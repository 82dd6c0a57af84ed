use casty::persistent;

#[persistent(balance, version = 2, default(limit))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
