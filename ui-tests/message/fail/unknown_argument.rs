use casty::message;

#[message(version = 2)]
struct Deposit(u64);

fn main() {}
