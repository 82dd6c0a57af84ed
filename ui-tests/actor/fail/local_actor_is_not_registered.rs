use casty::prelude::*;

#[persistent]
struct Account {
    balance: u64,
}

#[actor(local)]
impl Account {
    fn new(_id: EntityId) -> Self {
        Self { balance: 0 }
    }
}

async fn start(node: &Node) -> Result<(), BoxError> {
    node.sharded::<Account>("account").start().await?;
    Ok(())
}

fn main() {}
