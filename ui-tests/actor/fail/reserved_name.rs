use casty::{actor, message};

#[message]
struct Stop;

struct Account;

#[actor]
impl Account {
    #[handler]
    fn stop(&mut self, _: Stop) {}
}

fn main() {}
