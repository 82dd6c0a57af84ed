use casty::persistent;

#[persistent(version = 2, removed(maximum), renamed(limit = maximum))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
