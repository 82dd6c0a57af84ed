use casty::persistent;

#[persistent(except(limit), after_restore = limit)]
struct Account {
    balance: u64,
    limit: u64,
}

fn limit(balance: u64) -> u64 {
    balance
}

fn main() {}
