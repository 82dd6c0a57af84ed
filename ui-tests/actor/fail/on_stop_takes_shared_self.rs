use casty::actor;

struct Account;

#[actor]
impl Account {
    async fn on_stop(&self) {}
}

fn main() {}
