use casty::prelude::*;

struct Account(String);

#[actor]
impl Account {
    #[message]
    fn rename(&mut self, (first, last): (String, String)) {
        self.0 = first + &last;
    }
}

fn main() {}
