use casty::prelude::*;

struct Account(String);

#[actor]
impl Account {
    #[message]
    fn on_stop(&mut self) {}
}

fn main() {}
