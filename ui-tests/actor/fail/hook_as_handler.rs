use casty::{actor, message};

#[message]
struct Start;

struct Account;

#[actor]
impl Account {
    #[handler]
    fn on_start(&mut self, _: Start) {}
}

fn main() {}
