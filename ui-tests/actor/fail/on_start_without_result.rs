use casty::actor;

struct Account;

#[actor]
impl Account {
    async fn on_start(&mut self) {}
}

fn main() {}
