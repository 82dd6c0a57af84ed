use casty::message;

#[message(version = 0)]
struct Deposit(u64);

fn main() {}
