//! The actor under test.

use casty::prelude::*;

/// Puts money in.
#[message]
pub struct Deposit {
    /// How much.
    pub amount: u64,
}

/// Takes money out.
#[message]
pub struct Withdraw {
    /// How much.
    pub amount: u64,
}

/// Asks for the balance.
#[message]
pub struct GetBalance;

/// Makes the handler panic, after it has changed the balance.
#[message]
pub struct Explode;

/// There is not enough money.
#[message]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("balance is {balance}, cannot withdraw {amount}")]
pub struct Overdrawn {
    /// What there is.
    pub balance: u64,
    /// What was asked for.
    pub amount: u64,
}

/// An account. Its balance is state; how many messages this instance has handled is not.
#[persistent(balance, deposits)]
pub struct Account {
    id: EntityId,
    balance: u64,
    deposits: u64,
    handled: u64,
}

#[actor(name = "bank.Account")]
impl Account {
    fn new(id: EntityId) -> Self {
        Self { id, balance: 0, deposits: 0, handled: 0 }
    }

    #[handler]
    fn deposit(&mut self, msg: Deposit) -> u64 {
        self.balance += msg.amount;
        self.deposits += 1;
        self.handled += 1;
        self.balance
    }

    #[handler]
    async fn withdraw(&mut self, msg: Withdraw) -> Result<u64, Overdrawn> {
        tokio::task::yield_now().await;
        if msg.amount > self.balance {
            return Err(Overdrawn { balance: self.balance, amount: msg.amount });
        }
        self.balance -= msg.amount;
        Ok(self.balance)
    }

    #[handler]
    fn balance(&self, _: GetBalance) -> u64 {
        self.balance
    }

    #[handler]
    fn explode(&mut self, _: Explode) {
        self.balance = u64::MAX;
        explode(&self.id);
    }
}

#[expect(clippy::panic, reason = "a handler that panics is what the tests want")]
fn explode(id: &EntityId) {
    panic!("{id} explodes");
}
