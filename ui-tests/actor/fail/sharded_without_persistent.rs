use casty::prelude::*;

#[message]
struct Deposit(u64);

struct Account(u64);

#[actor]
impl Account {
    fn new(_: EntityId) -> Self {
        Self(0)
    }

    #[handler]
    fn deposit(&mut self, msg: Deposit) {
        self.0 += msg.0;
    }
}

async fn start(node: Node) -> Result<(), BoxError> {
    let accounts = node.sharded::<Account>("account").shards(10).start().await?;
    accounts.entity("alice").deposit(Deposit(5)).await?;
    Ok(())
}

fn main() {}
