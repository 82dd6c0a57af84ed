use casty::persistent;

#[persistent(balance, except(limit))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
