use casty::message;

#[message(local, version = 2)]
struct Deposit(u64);

fn main() {}
