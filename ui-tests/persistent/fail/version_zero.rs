use casty::persistent;

#[persistent(version = 0)]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
