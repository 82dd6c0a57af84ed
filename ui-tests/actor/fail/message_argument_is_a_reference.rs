use casty::prelude::*;

struct Account(String);

#[actor]
impl Account {
    #[message]
    fn rename(&mut self, name: &str) {
        self.0 = name.to_owned();
    }
}

fn main() {}
