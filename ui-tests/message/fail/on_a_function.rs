use casty::message;

#[message]
fn deposit(amount: u64) {}

fn main() {}
