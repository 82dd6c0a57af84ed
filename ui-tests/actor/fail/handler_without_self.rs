use casty::{actor, message};

#[message]
struct Deposit(u64);

struct Account;

#[actor]
impl Account {
    #[handler]
    fn deposit(msg: Deposit) -> u64 {
        msg.0
    }
}

fn main() {}
