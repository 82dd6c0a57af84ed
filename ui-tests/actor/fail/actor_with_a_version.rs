use casty::prelude::*;

struct Account;

#[actor(version = 2)]
impl Account {}

fn main() {}
