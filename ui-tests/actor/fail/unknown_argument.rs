use casty::actor;

struct Account;

#[actor(tag = 2)]
impl Account {}

fn main() {}
