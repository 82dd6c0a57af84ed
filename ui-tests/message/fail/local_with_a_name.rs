use casty::message;

#[message(local, name = "bank.Deposit")]
pub struct Deposit(u64);

fn main() {}
