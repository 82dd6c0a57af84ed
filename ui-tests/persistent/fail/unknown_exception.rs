use casty::persistent;

#[persistent(except(limt))]
struct Account {
    balance: u64,
    limit: u64,
}

fn main() {}
