use casty::actor;

struct Account;

#[actor(local)]
impl Account {}

fn main() {}
