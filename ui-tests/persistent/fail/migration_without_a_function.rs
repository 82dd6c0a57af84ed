use casty::persistent;

#[persistent(version = 2, migrate(1))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
