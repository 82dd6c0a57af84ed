use casty::actor;

#[actor]
struct Account;

fn main() {}
