use casty::prelude::*;

#[message(local)]
pub struct Deposit(u64);

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    fn deposit(&mut self, msg: Deposit) {
        self.0 += msg.0;
    }
}

fn main() {}
