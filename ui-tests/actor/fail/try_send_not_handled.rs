use casty::actor::ActorRef;
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

fn send(alice: ActorRef<Account>) {
    let _ = alice.try_send(GetBalance);
}

fn main() {}
