use casty::persistent;

#[persistent(removed(maximum))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
