use casty::prelude::*;

pub struct Name(String);

struct Account(String);

#[actor]
impl Account {
    #[message]
    fn rename(&mut self, name: Name) {
        self.0 = name.0;
    }
}

fn main() {}
