//! State, a typed error, reads and writes, on one node: `cargo run --example 02_account`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;

#[message]
struct Deposit {
    amount: u64,
}

#[message]
struct Withdraw {
    amount: u64,
}

#[message]
struct GetBalance;

#[message]
#[derive(Debug, thiserror::Error)]
#[error("balance is {balance}, cannot withdraw {amount}")]
struct Overdrawn {
    balance: u64,
    amount: u64,
}

#[persistent]
struct Account {
    balance: u64,
}

#[actor]
impl Account {
    fn new(_id: EntityId) -> Self {
        Self { balance: 0 }
    }

    /// `&mut self` is a write. What it returns is the reply.
    #[handler]
    fn deposit(&mut self, deposit: Deposit) -> u64 {
        self.balance += deposit.amount;
        self.balance
    }

    /// An error reaches the asker, with its type.
    #[handler]
    async fn withdraw(&mut self, withdraw: Withdraw) -> Result<u64, Overdrawn> {
        let Withdraw { amount } = withdraw;
        match self.balance.checked_sub(amount) {
            Some(rest) => self.balance = rest,
            None => return Err(Overdrawn { balance: self.balance, amount }),
        }
        Ok(self.balance)
    }

    /// `&self` is a read.
    #[handler]
    fn balance(&self, _: GetBalance) -> u64 {
        self.balance
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("bank");
    let alice = system.spawn(Account::new("alice".into())).named("alice").await?;

    alice.send(Deposit { amount: 70 }).await?;
    println!("after a deposit: {}", alice.deposit(Deposit { amount: 30 }).await?);
    println!("after a withdrawal: {}", alice.ask(Withdraw { amount: 40 }).await?);
    match alice.withdraw(Withdraw { amount: 999 }).await {
        Err(AskError::Handler(overdrawn)) => println!("refused: {overdrawn}"),
        other => println!("unexpected: {other:?}"),
    }
    println!("in the end: {}", alice.balance(GetBalance).await?);
    system.shutdown().await;
    Ok(())
}
