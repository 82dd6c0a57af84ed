use casty::persistent;

#[persistent(version = 2, migrate(1 = from_1))]
struct Account {
    balance: u64,
}

fn from_1(balance: u64) -> u64 {
    balance
}

fn main() {}
