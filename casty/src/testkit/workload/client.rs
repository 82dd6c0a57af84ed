//! One client: it asks this and that, one thing after the other, and writes down what comes of it.

use std::time::Duration;

use tokio::time::sleep;

use super::asking::{Asked, Ended};
use super::books::Books;
use super::objects::{
    AccountInput, AccountOutput, Add, Append, CompareAndSet, Deposit, Objects, Overdrawn, Withdraw, Write,
};
use super::{Pace, Surroundings, token};
use crate::actor::{AskError, SendError};
use crate::testkit::linearizability::models::{
    AppendListInput, AppendListOutput, CounterInput, RegisterInput, RegisterOutput,
};

/// Values of registers repeat, so that a compare-and-set finds what it expects.
const VALUES: u64 = 5;
/// The most that is deposited or withdrawn at a time.
const AMOUNTS: u64 = 100;

/// Runs one client until its surroundings say that it is enough.
pub async fn run(objects: &Objects, books: &Books, pace: &Pace, surroundings: impl Surroundings) {
    let mut client = Client { objects, books, pace, surroundings, asked: 0, tokens: 0 };
    while client.surroundings.goes_on() {
        client.step().await;
        let pause = client.surroundings.random(pace.pause_ms.clone());
        sleep(Duration::from_millis(pause)).await;
    }
}

pub(super) struct Client<'a, S> {
    pub(super) objects: &'a Objects,
    pub(super) books: &'a Books,
    pub(super) pace: &'a Pace,
    pub(super) surroundings: S,
    pub(super) asked: u64,
    pub(super) tokens: u64,
}

impl<S: Surroundings> Client<'_, S> {
    async fn step(&mut self) {
        let object = self.surroundings.random(0..self.pace.objects);
        match self.surroundings.random(0..10) {
            0 | 1 => self.register(&format!("register-{object}")).await,
            2 | 3 => self.counter(&format!("counter-{object}")).await,
            4..=6 => self.list(&format!("list-{object}")).await,
            7 | 8 => self.account(&format!("account-{object}")).await,
            _ => self.transfer(object).await,
        }
    }

    async fn register(&mut self, id: &str) {
        let (asked, value) = (self.next_ask(), self.surroundings.random(1..VALUES));
        let Asked { ask, time } = asked;
        let (register, history) = (self.objects.registers.entity(id), self.books.inner.registers.of(id));
        match self.surroundings.random(0..3) {
            0 => {
                self.read_register(id).await;
            }
            1 => {
                let asking = async {
                    register.write(Write { ask, value }).timeout(time).await.map(|of| (of, RegisterOutput::Written))
                };
                self.ask(asked, &history, RegisterInput::Write(value), asking).await;
            }
            _ => {
                let expected = self.surroundings.random(0..VALUES);
                let request = CompareAndSet { ask, expected, new: value };
                let swapped = |(of, swapped)| (of, RegisterOutput::Swapped(swapped));
                let asking = async { register.compare_and_set(request).timeout(time).await.map(swapped) };
                self.ask(asked, &history, RegisterInput::CompareAndSet { expected, new: value }, asking).await;
            }
        }
    }

    async fn counter(&mut self, id: &str) {
        let (asked, amount) = (self.next_ask(), self.surroundings.random(1..4));
        let Asked { ask, time } = asked;
        let (counter, history) = (self.objects.counters.entity(id), self.books.inner.counters.of(id));
        if self.surroundings.random(0..3) == 0 {
            self.read_counter(id).await;
            return;
        }
        let asking = async { counter.add(Add { ask, amount }).timeout(time).await };
        self.ask(asked, &history, CounterInput::Add(amount), asking).await;
    }

    async fn list(&mut self, id: &str) {
        let asked @ Asked { ask, time } = self.next_ask();
        let (list, history) = (self.objects.lists.entity(id), self.books.inner.lists.of(id));
        let what = self.surroundings.random(0..4);
        if what == 0 {
            self.read_list(id).await;
            return;
        }
        self.tokens += 1;
        let token = token(self.surroundings.number(), self.tokens);
        if what == 1 {
            let pending =
                history.call(self.surroundings.number(), self.surroundings.now(), AppendListInput::Append(token));
            match list.send(Append { ask, token }).await {
                Ok(()) | Err(SendError::Lost { .. }) => pending.unknown(),
                Err(_) => pending.withdraw(),
            }
        } else {
            let length = |(of, length)| (of, AppendListOutput::Length(length));
            let asking = async { list.append(Append { ask, token }).timeout(time).await.map(length) };
            self.ask(asked, &history, AppendListInput::Append(token), asking).await;
        }
    }

    async fn account(&mut self, id: &str) {
        let amount = self.surroundings.random(1..AMOUNTS);
        match self.surroundings.random(0..3) {
            0 => {
                self.read_account(id).await;
            }
            1 => {
                self.deposit(id, amount).await;
            }
            _ => {
                self.withdraw(id, amount).await;
            }
        }
    }

    /// Takes from one account and gives to another, as a client can.
    async fn transfer(&mut self, from: u64) {
        let amount = self.surroundings.random(1..AMOUNTS);
        let to = (from + 1) % self.pace.objects;
        let taken = self.withdraw(&format!("account-{from}"), amount).await;
        if matches!(taken, Ended::Replied(AccountOutput::Balance(_))) {
            self.deposit(&format!("account-{to}"), amount).await;
        }
    }

    async fn deposit(&mut self, id: &str, amount: u64) -> Ended<AccountOutput> {
        let asked @ Asked { ask, time } = self.next_ask();
        let (account, history) = (self.objects.accounts.entity(id), self.books.inner.accounts.of(id));
        let balance = |(of, balance)| (of, AccountOutput::Balance(balance));
        let asking = async { account.deposit(Deposit { ask, amount }).timeout(time).await.map(balance) };
        self.ask(asked, &history, AccountInput::Deposit(amount), asking).await
    }

    async fn withdraw(&mut self, id: &str, amount: u64) -> Ended<AccountOutput> {
        let asked @ Asked { ask, time } = self.next_ask();
        let (account, history) = (self.objects.accounts.entity(id), self.books.inner.accounts.of(id));
        let asking = async {
            match account.withdraw(Withdraw { ask, amount }).timeout(time).await {
                Ok((of, balance)) => Ok((of, AccountOutput::Balance(balance))),
                Err(AskError::Handler(Overdrawn { ask, balance })) => Ok((ask, AccountOutput::Overdrawn(balance))),
                Err(error) => Err(error),
            }
        };
        self.ask(asked, &history, AccountInput::Withdraw(amount), asking).await
    }
}
