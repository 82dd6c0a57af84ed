use std::rc::Rc;

use casty::{actor, message};

#[message]
struct Deposit(u64);

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    async fn deposit(&mut self, msg: Deposit) {
        let amount = Rc::new(msg.0);
        std::future::ready(()).await;
        self.0 += *amount;
    }
}

fn main() {}
