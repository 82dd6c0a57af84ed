//! The actor of the guide, with everything that an actor may have.

use std::time::Duration;

use casty::prelude::*;

#[message]
pub struct Deposit {
    pub amount: u64,
}

#[message]
pub struct Withdraw {
    pub amount: u64,
}

#[message]
pub struct GetBalance;

#[message]
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("balance is {balance}, cannot withdraw {amount}")]
pub struct Overdrawn {
    pub balance: u64,
    pub amount: u64,
}

#[persistent(balance)]
pub struct Account {
    id: String,
    balance: u64,
    recent: Vec<u64>,
}

#[actor(name = "bank.Account")]
impl Account {
    fn new(id: EntityId) -> Self {
        Self { id: id.into(), balance: 0, recent: vec![] }
    }

    /// Puts money in.
    #[handler]
    fn deposit(&mut self, msg: Deposit) -> u64 {
        self.recent.push(msg.amount);
        self.balance += msg.amount;
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

    #[message]
    async fn rename(&mut self, name: String, ctx: &mut Ctx<Self>) -> Option<String> {
        let _myself: ActorRef<Self> = ctx.myself();
        Some(std::mem::replace(&mut self.id, name))
    }

    #[message(name = "bank.Transfer")]
    pub(crate) fn transfer(&mut self, mut amount: u64, _ctx: &Ctx<Self>, keep: Option<u64>) -> Result<u64, Overdrawn> {
        amount += keep.unwrap_or_default();
        if amount > self.balance {
            return Err(Overdrawn { balance: self.balance, amount });
        }
        self.balance -= amount;
        Ok(self.balance)
    }

    #[message]
    fn forget(&mut self) {
        self.recent.clear();
    }

    async fn on_start(&mut self, _ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        Ok(())
    }

    async fn on_stop(&mut self, _ctx: &mut Ctx<Self>) {}

    fn on_error(&mut self, _failure: &Failure) -> Directive {
        Directive::Resume
    }

    fn helper(&self) -> usize {
        self.recent.len()
    }
}

#[tokio::test]
async fn an_account_is_used_in_every_way() -> Result<(), BoxError> {
    assert_eq!(Account::new("alice".into()).helper(), 0);
    let system = ActorSystem::new("bank");
    let alice: ActorRef<Account> = system.spawn(Account::new("alice".into())).named("alice").await?;
    alice.send(Deposit { amount: 5 }).await?;
    alice.try_send(Deposit { amount: 5 })?;
    assert_eq!(alice.ask(GetBalance).await?, 10);
    assert_eq!(alice.ask(GetBalance).timeout(Duration::from_secs(5)).await?, 10);
    assert_eq!(alice.balance(GetBalance).await?, 10);
    alice.deposit(Deposit { amount: 1 }).send().await?;
    match alice.withdraw(Withdraw { amount: 999 }).await {
        Err(AskError::Handler(Overdrawn { balance, amount })) => assert_eq!((balance, amount), (11, 999)),
        other => panic!("{other:?}"),
    }
    assert_eq!(alice.rename("bob".into()).await?.as_deref(), Some("alice"));
    assert_eq!(alice.transfer(1, None).await?, 10);
    assert_eq!(alice.ask(Transfer { amount: 1, keep: Some(1) }).await?, 8);
    assert_eq!(<Transfer as casty::actor::WireMessage>::NAME, "bank.Transfer");
    assert!(<Rename as casty::actor::WireMessage>::NAME.ends_with("::Rename"));
    alice.forget().send().await?;
    alice.ask(Forget).await?;
    let recipient: Recipient<Deposit> = alice.recipient();
    recipient.try_send(Deposit { amount: 1 })?;
    assert_eq!(<Account as Actor>::NAME, "bank.Account");
    let mut dead_letters = system.dead_letters().subscribe();
    alice.try_send(Rename { name: "carol".into() })?;
    alice.stop();
    alice.stopped().await;
    assert!(dead_letters.recv().await?.message.ends_with("::Deposit"));
    assert!(dead_letters.recv().await?.message.ends_with("::Rename"));
    system.shutdown().await;
    Ok(())
}
