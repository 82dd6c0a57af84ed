use casty::actor::ActorRef;
use casty::{actor, message};

#[message]
struct Deposit(u64);

struct Account(u64);

#[actor]
impl Account {
    #[handler]
    fn deposit(&mut self, msg: Deposit) {
        self.0 += msg.0;
    }
}

async fn ask(alice: ActorRef<Account>) {
    let _ = alice.ask("deposit").await;
}

fn main() {}
