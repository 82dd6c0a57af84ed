use casty::persistent;

#[persistent(versoin = 2)]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
