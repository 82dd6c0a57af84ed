use casty::actor;

struct Account;

#[actor(version = 2)]
impl Account {}

fn main() {}
