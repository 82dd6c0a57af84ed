use casty::persistent;

#[persistent(version = 2, version = 3)]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
