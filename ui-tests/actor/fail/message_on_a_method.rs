use casty::{actor, message};

struct Account(String);

#[actor]
impl Account {
    #[message]
    fn rename(&mut self, name: String) {
        self.0 = name;
    }
}

fn main() {}
