use casty::persistent;

#[persistent(balance, limt)]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
