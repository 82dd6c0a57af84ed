//! Mailboxes that are full, and messages that are put aside.

use casty::actor::DeadReason;
use casty::prelude::*;
use casty::{Overflow, SendError};
use tokio::sync::oneshot;

use crate::support::{Reader, Work, Worker, diary, soon};

/// A worker that is busy, with two messages waiting in a mailbox for two. The sender ends the first.
async fn full(overflow: Overflow) -> (ActorSystem, ActorRef<Worker>, Reader, oneshot::Sender<()>) {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let worker = system.spawn(Worker::new("w", &notes)).mailbox(2).overflow(overflow).await.unwrap();
    let (open, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    read.expect(&["w made", "w starts", "w waits"]).await;
    (system, worker, read, open)
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_that_fails_hands_the_message_back_and_tells_who_asks() {
    let (system, worker, mut read, open) = full(Overflow::Fail).await;
    worker.work(1).send().await.unwrap();
    worker.work(2).send().await.unwrap();
    assert!(matches!(worker.work(3).send().await, Err(SendError::Full(_))));
    assert_eq!(worker.work(4).await, Err(AskError::MailboxFull));
    open.send(()).unwrap();
    read.expect(&["w works 1", "w works 2"]).await;
    assert_eq!(soon(worker.work(5)).await, Ok(2));
    assert_eq!(system.dead_letters().total(), 0, "what was handed back is not lost");
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_that_drops_the_newest_keeps_what_waits() {
    let (system, worker, mut read, open) = full(Overflow::DropNewest).await;
    worker.work(1).send().await.unwrap();
    worker.work(2).send().await.unwrap();
    worker.work(3).send().await.unwrap();
    assert_eq!(soon(worker.work(4)).await, Err(AskError::MailboxFull));
    open.send(()).unwrap();
    read.expect(&["w works 1", "w works 2"]).await;
    assert_eq!(system.dead_letters().count(DeadReason::Displaced), 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_that_drops_the_oldest_keeps_what_is_new() {
    let (system, worker, mut read, open) = full(Overflow::DropOldest).await;
    let asked =
        async { tokio::join!(worker.work(1), worker.work(2), worker.work(3), async { open.send(()).unwrap() }) };
    let (first, second, third, ()) = soon(asked).await;
    assert_eq!((first, second, third), (Err(AskError::MailboxFull), Ok(0), Ok(1)));
    read.expect(&["w works 2", "w works 3"]).await;
    assert_eq!(system.dead_letters().count(DeadReason::Displaced), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unbounded_mailbox_is_never_full() {
    let system = ActorSystem::new("test");
    let (notes, mut read) = diary();
    let worker = system.spawn(Worker::new("w", &notes)).unbounded().await.unwrap();
    let (open, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    read.expect(&["w made", "w starts", "w waits"]).await;
    for n in 0..10_000 {
        worker.try_send(Work { n }).unwrap();
    }
    open.send(()).unwrap();
    assert_eq!(soon(worker.work(0)).await, Ok(10_000));
}

/// Answers when it was told the secret.
struct Vault {
    secret: Option<u64>,
}

#[actor(local)]
impl Vault {
    fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        ctx.stash::<Guess>();
        Ok(())
    }

    #[message]
    fn learn(&mut self, secret: u64, ctx: &mut Ctx<Self>) -> usize {
        self.secret = Some(secret);
        let waiting = ctx.stashed();
        ctx.unstash_all();
        waiting
    }

    #[message]
    fn guess(&mut self, secret: u64) -> Option<bool> {
        self.secret.map(|known| known == secret)
    }

    #[message]
    fn boom(&mut self) {
        std::panic::resume_unwind(Box::new("boom"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_put_aside_is_handled_before_what_came_later_in_its_order() {
    let system = ActorSystem::new("test");
    let vault = system.spawn_with(|| Vault { secret: None }).await.unwrap();
    let asked = async { tokio::join!(vault.guess(1), vault.guess(7), vault.learn(7), vault.guess(8)) };
    let (one, seven, waiting, eight) = soon(asked).await;
    assert_eq!((one, seven, waiting, eight), (Ok(Some(false)), Ok(Some(true)), Ok(2), Ok(Some(false))));
}

#[tokio::test(start_paused = true)]
async fn a_restart_and_a_stop_lose_nothing_that_was_put_aside() {
    let system = ActorSystem::new("test");
    let vault = system.spawn_with(|| Vault { secret: None }).await.unwrap();
    let asked = async { tokio::join!(vault.guess(7), vault.boom(), vault.learn(7)) };
    let (guess, boom, waiting) = soon(asked).await;
    assert_eq!((guess, boom), (Ok(Some(true)), Err(AskError::Failed)));
    assert_eq!(waiting, Ok(1), "the new instance puts it aside again");

    let vault = system.spawn(Vault { secret: None }).await.unwrap();
    let asked = async { tokio::join!(vault.guess(7), vault.guess(8), async { vault.drain() }) };
    assert_eq!(soon(asked).await, (Err(AskError::Stopped), Err(AskError::Stopped), ()));
    assert_eq!(system.dead_letters().count(DeadReason::LeftBehind), 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_put_aside_than_the_mailbox_holds() {
    let system = ActorSystem::new("test");
    let vault = system.spawn(Vault { secret: None }).mailbox(2).await.unwrap();
    let asked = async { tokio::join!(vault.guess(1), vault.guess(2), vault.guess(3), vault.learn(1)) };
    let (one, two, three, waiting) = soon(asked).await;
    assert_eq!((one, two, waiting), (Ok(Some(true)), Ok(Some(false)), Ok(2)));
    assert_eq!(three, Err(AskError::MailboxFull));
}
