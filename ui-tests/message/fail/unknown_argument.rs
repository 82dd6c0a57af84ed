use casty::message;

#[message(tag = 2)]
struct Deposit(u64);

fn main() {}
