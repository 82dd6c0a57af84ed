use casty::persistent;

#[persistent(version = 2, renamed(limit = balance))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
