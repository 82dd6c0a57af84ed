use casty::message;

#[message(name = "a deposit")]
struct Deposit(u64);

fn main() {}
