//! Kanal's bounded channel, with replies through tokio's oneshot channel.

use tokio::sync::oneshot;

use super::channel::{Msg, handle, reply};
use super::{CAPACITY, Competitor, Counter};

const ALIVE: &str = "the actor is alive";

#[derive(Clone)]
pub(super) struct Kanal;

impl Competitor for Kanal {
    const NAME: &'static str = "kanal";
    type Ref = kanal::AsyncSender<Msg>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, mut counter: Counter<Self::Ref>) -> Self::Ref {
        let (actor, mailbox) = kanal::bounded_async(CAPACITY);
        tokio::spawn(async move {
            while let Ok(msg) = mailbox.recv().await {
                if handle::<Self, _>(&mut counter, msg, reply).await.is_break() {
                    break;
                }
            }
        });
        actor
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.send(Msg::Add(amount)).await.expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        let (to, total) = oneshot::channel();
        actor.send(Msg::Total(to)).await.expect(ALIVE);
        total.await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.send(Msg::Pass(hops)).await.expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        actor.send(Msg::Stop).await.expect(ALIVE);
    }
}
