use casty::actor;

struct Account;

#[actor]
impl Default for Account {
    fn default() -> Self {
        Self
    }
}

fn main() {}
