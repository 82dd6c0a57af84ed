use casty::persistent;
use casty::message;

#[persistent(version = 2, default(opened))]
struct Account {
    balance: u64,
    opened: Day,
}

#[message]
struct Day(u64);

fn main() {}
