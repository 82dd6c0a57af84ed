use casty::{actor, message};

#[message]
struct Close;

struct Account;

#[actor]
impl Account {
    #[handler]
    fn close(self, _: Close) {}
}

fn main() {}
