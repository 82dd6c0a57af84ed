//! The methods of a handle need no import, and a private message stays private.

mod bank {
    use casty::{actor, message};

    #[message]
    pub(crate) struct Deposit(pub(crate) u64);

    #[message]
    struct Audit;

    pub struct Account(u64);

    impl Account {
        pub fn open() -> Self {
            Self(0)
        }
    }

    #[actor]
    impl Account {
        #[handler]
        fn deposit(&mut self, msg: Deposit) -> u64 {
            self.0 += msg.0;
            self.0
        }

        #[handler]
        pub(self) fn audit(&self, _: Audit) -> bool {
            true
        }
    }

    pub async fn audited(account: &casty::actor::ActorRef<Account>) -> bool {
        account.audit(Audit).await.unwrap_or(false)
    }
}

#[tokio::test]
async fn methods_need_no_import_and_private_messages_stay_private() -> Result<(), casty::base::BoxError> {
    let system = casty::actor::ActorSystem::new("bank");
    let account = system.spawn(bank::Account::open()).await?;
    assert_eq!(account.deposit(bank::Deposit(1)).await?, 1);
    assert!(bank::audited(&account).await);
    system.shutdown().await;
    Ok(())
}
