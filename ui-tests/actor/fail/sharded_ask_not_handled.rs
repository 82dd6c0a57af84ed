use casty::Sharded;
use casty::{actor, message};

#[message]
struct Deposit(u64);

#[message]
struct GetBalance;

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    fn deposit(&mut self, msg: Deposit) {
        self.0 += msg.0;
    }
}

async fn ask(accounts: Sharded<Account>) {
    let _ = accounts.ask("alice", GetBalance).await;
}

fn main() {}
