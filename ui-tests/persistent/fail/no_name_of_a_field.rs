use casty::persistent;

#[persistent("balance")]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
