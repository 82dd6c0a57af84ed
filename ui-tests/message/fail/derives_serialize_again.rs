use casty::message;

#[message]
#[derive(Debug, serde::Serialize)]
struct Deposit(u64);

fn main() {}
