//! Generated code passes the strictest lints, clippy's among them.

#![deny(
    warnings,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    unused,
    rust_2018_idioms,
    clippy::all,
    clippy::nursery,
    clippy::pedantic
)]

use casty::prelude::*;

/// Puts money in.
#[message]
#[derive(Debug)]
pub struct Deposit {
    /// How much.
    pub amount: u64,
}

/// Takes money out.
#[message]
#[derive(Debug)]
pub enum Withdraw {
    /// So much.
    Some(u64, Option<Box<Self>>),
    /// What is there.
    All {
        /// Why.
        why: Vec<Reason>,
    },
}

/// Why.
#[message]
#[derive(Debug)]
pub struct Reason {
    text: String,
    because: Option<Box<Withdraw>>,
    #[serde(skip)]
    _seen: bool,
}

#[message]
struct GetBalance;

#[message]
pub(crate) struct Convert([u8; 32]);

/// Forgets what was recent.
#[message]
#[derive(Debug)]
pub struct Audit;

/// Not so much.
#[message]
#[derive(Debug, thiserror::Error)]
#[error("balance is {balance}")]
pub struct Overdrawn {
    /// What is there.
    pub balance: u64,
}

/// An account.
#[persistent(balance, limit)]
#[derive(Debug)]
pub struct Account {
    balance: u64,
    limit: Limit,
    recent: Vec<u64>,
}

#[message]
#[derive(Debug, Clone, Copy, Default)]
struct Limit(u64);

#[actor]
impl Account {
    fn new(_: EntityId) -> Self {
        Self { balance: 0, limit: Limit::default(), recent: vec![] }
    }

    /// Puts money in.
    #[handler]
    fn deposit(&mut self, msg: Deposit, ctx: &mut Ctx<Self>) -> u64 {
        if msg.amount == 0 {
            ctx.stop();
        }
        self.recent.push(msg.amount);
        self.balance += msg.amount;
        self.balance
    }

    #[handler]
    async fn withdraw(&mut self, _ctx: &Ctx<Self>, msg: Withdraw) -> Result<(), Overdrawn> {
        tokio::task::yield_now().await;
        match msg {
            Withdraw::Some(amount, _) if amount > self.balance + self.limit.0 => {
                return Err(Overdrawn { balance: self.balance });
            }
            Withdraw::Some(amount, _) => self.balance -= amount,
            Withdraw::All { why } => self.balance = why.iter().map(|why| why.text.len() as u64).sum(),
        }
        Ok(())
    }

    #[handler]
    async fn balance(&self, _: GetBalance) -> u64 {
        tokio::task::yield_now().await;
        self.balance
    }

    #[handler]
    pub(crate) fn convert(&mut self, msg: Convert) {
        self.balance = u64::from(msg.0[0]);
    }

    #[handler]
    async fn audit(&mut self, _: Audit) {
        tokio::task::yield_now().await;
        self.recent.clear();
    }

    #[message]
    fn set_limit(&mut self, limit: Limit, _because: Option<Reason>) {
        self.limit = limit;
    }

    #[message]
    async fn settle(&mut self, _ctx: &mut Ctx<Self>) -> u64 {
        tokio::task::yield_now().await;
        self.balance
    }

    async fn on_start(&mut self, _: &mut Ctx<Self>) -> Result<(), BoxError> {
        tokio::task::yield_now().await;
        Ok(())
    }

    fn on_stop(&mut self) {}

    fn on_error(&mut self, _: &Failure) -> Directive {
        Directive::Stop
    }
}

/// A stack.
#[derive(Debug)]
pub struct Stack<T>(Vec<T>);

#[actor]
impl<T: Clone + Send + 'static> Stack<T> {
    #[handler]
    fn top(&self, _: GetBalance) -> Option<T> {
        self.0.last().cloned()
    }
}

/// An actor without handlers.
#[persistent]
#[derive(Debug)]
pub struct Quiet;

#[actor]
impl Quiet {}

#[test]
fn one_of_each_can_be_made() {
    let reason = Reason { text: String::new(), because: None, _seen: true };
    let because = reason.because.is_some();
    drop((Withdraw::All { why: vec![reason] }, Withdraw::Some(1, None), Convert([0; 32]), GetBalance, Audit, because));
    drop((Account::new("a".into()), Stack(vec![1]), Quiet));
}
