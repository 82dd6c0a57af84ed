//! References to entities in messages, in replies and in persistent state.

use casty::codec::{decode, encode};
use casty::prelude::*;
use casty_tests::bank::{Account, Deposit, GetBalance};
use casty_tests::cluster::{Cluster, DEADLINE};

/// Pays into the account that it was told of.
#[persistent(account)]
struct Payer {
    id: EntityId,
    account: Option<EntityRef<Account>>,
}

#[actor(name = "references.Payer")]
impl Payer {
    fn new(id: EntityId) -> Self {
        Self { id, account: None }
    }

    /// Gives the account before.
    #[message]
    fn remember(&mut self, account: EntityRef<Account>) -> Option<EntityRef<Account>> {
        self.account.replace(account)
    }

    #[message]
    async fn pay(&mut self, amount: u64) -> Option<u64> {
        match &self.account {
            Some(account) => account.deposit(Deposit { amount }).await.ok(),
            None => None,
        }
    }

    #[message]
    fn who(&self) -> String {
        self.id.to_string()
    }

    /// Asks another of its kind who it is.
    #[message]
    async fn greet(&self, other: EntityRef<Payer>) -> Option<String> {
        other.who().await.ok()
    }
}

/// Carries messages to whom it is told, from its own node.
struct Postman;

#[actor(name = "references.Postman")]
impl Postman {
    #[message]
    async fn carry(&mut self, account: EntityRef<Account>, amount: u64) -> (EntityRef<Account>, Option<u64>) {
        let balance = account.deposit(Deposit { amount }).await.ok();
        (account, balance)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_in_a_message_or_a_reply_leads_to_the_same_entity_from_every_node() {
    let cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let payers = cluster.sharded::<Payer>("payer").await;
    for number in 0..8_u64 {
        let account = accounts[0].entity(format!("user-{number}"));
        let postman = cluster.node(1).spawn(Postman).await.unwrap();
        let postman = cluster.node(2).import::<Postman>(&cluster.node(1).export(&postman).unwrap()).unwrap();
        let (again, balance) = postman.carry(account.clone(), 1 + number).await.unwrap();
        assert_eq!((balance, again.id()), (Some(1 + number), account.id()));
        assert_eq!(again.balance(GetBalance).await, Ok(1 + number));
        let (payer, other) = (payers[2].entity(format!("payer-{number}")), payers[0].entity("other"));
        assert!(payer.remember(again).await.unwrap().is_none());
        assert_eq!(payer.pay(1).await, Ok(Some(2 + number)));
        let before = payers[1].entity(format!("payer-{number}")).remember(account.clone()).await.unwrap().unwrap();
        assert_eq!(before.balance(GetBalance).await, Ok(2 + number));
        assert_eq!(payer.greet(other).await, Ok(Some("other".to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_in_persistent_state_outlives_the_node_that_kept_it() {
    let mut cluster = Cluster::start(3).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let payers = cluster.sharded::<Payer>("payer").await;
    let (asker, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &payers[asker], "payer").next().unwrap();
    let payer = payers[asker].entity(id.as_str());
    payer.remember(accounts[asker].entity("user")).await.unwrap();
    assert_eq!(payer.pay(1).await, Ok(Some(1)));
    cluster.crash(leader);
    assert_eq!(payer.pay(1).timeout(DEADLINE).await, Ok(Some(2)), "another instance, which read its state");
    assert_eq!(accounts[2].entity("user").balance(GetBalance).await, Ok(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_is_read_by_nodes_only() {
    let cluster = Cluster::start(2).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let written = encode(&accounts[0].entity("user")).unwrap();
    let error = decode::<EntityRef<Account>>(&written).unwrap_err().to_string();
    assert!(error.contains("can be read on behalf of a node only"), "{error}");
}
