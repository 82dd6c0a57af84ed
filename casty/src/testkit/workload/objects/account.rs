//! An account, whose handlers may refuse.

use serde::{Deserialize, Serialize};

use crate::prelude::*;
use crate::testkit::linearizability::Model;

#[message]
pub(in crate::testkit::workload) struct Deposit {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) amount: u64,
}

#[message]
pub(in crate::testkit::workload) struct Withdraw {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) amount: u64,
}

#[message]
pub(in crate::testkit::workload) struct Balance {
    pub(in crate::testkit::workload) ask: u64,
}

#[message]
#[derive(Debug)]
pub(in crate::testkit::workload) struct Overdrawn {
    pub(in crate::testkit::workload) ask: u64,
    pub(in crate::testkit::workload) balance: u64,
}

#[persistent(balance)]
pub(in crate::testkit::workload) struct Account {
    balance: u64,
}

#[actor(name = "casty.testkit.Account")]
impl Account {
    fn new(_: EntityId) -> Self {
        Self { balance: 0 }
    }

    #[handler]
    fn deposit(&mut self, msg: Deposit) -> (u64, u64) {
        self.balance += msg.amount;
        (msg.ask, self.balance)
    }

    #[handler]
    fn withdraw(&mut self, msg: Withdraw) -> Result<(u64, u64), Overdrawn> {
        let rest = self.balance.checked_sub(msg.amount);
        self.balance = rest.ok_or(Overdrawn { ask: msg.ask, balance: self.balance })?;
        Ok((msg.ask, self.balance))
    }

    #[handler]
    fn balance(&self, msg: Balance) -> (u64, u64) {
        (msg.ask, self.balance)
    }
}

/// What an account is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountInput {
    /// Take this amount in.
    Deposit(u64),
    /// Pay this amount out, if there is so much.
    Withdraw(u64),
    /// The balance, please.
    Balance,
}

/// What an account answers: its balance, after it did what it was asked or refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountOutput {
    /// Done.
    Balance(u64),
    /// There is less than that.
    Overdrawn(u64),
}

/// What an account should do.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountModel;

impl Model for AccountModel {
    type State = u64;
    type Input = AccountInput;
    type Output = AccountOutput;

    fn start(&self) -> u64 {
        0
    }

    fn apply(&self, balance: &u64, input: &AccountInput) -> (u64, AccountOutput) {
        let after = match input {
            AccountInput::Deposit(amount) => balance + amount,
            AccountInput::Balance => *balance,
            AccountInput::Withdraw(amount) => match balance.checked_sub(*amount) {
                Some(rest) => rest,
                None => return (*balance, AccountOutput::Overdrawn(*balance)),
            },
        };
        (after, AccountOutput::Balance(after))
    }

    fn is_read(&self, input: &AccountInput) -> bool {
        matches!(input, AccountInput::Balance)
    }
}
