use casty::message;

#[message(local)]
struct Deposit(u64);

fn main() {}
