use casty::prelude::*;

struct Account(String);

#[actor]
impl Account {
    #[handler]
    #[message]
    fn rename(&mut self, name: String) {
        self.0 = name;
    }
}

fn main() {}
