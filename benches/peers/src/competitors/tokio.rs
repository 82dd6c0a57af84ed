//! Tokio's own channels: a task that owns a counter and receives from an mpsc channel. Replies go through a oneshot channel.

use tokio::sync::{mpsc, oneshot};

use super::channel::{Msg, handle, reply};
use super::{CAPACITY, Competitor, Counter};

const ALIVE: &str = "the actor is alive";

/// The bounded channel. Ratios are taken to it.
#[derive(Clone)]
pub(super) struct TokioBounded;

impl Competitor for TokioBounded {
    const NAME: &'static str = "tokio-bounded";
    type Ref = mpsc::Sender<Msg>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, mut counter: Counter<Self::Ref>) -> Self::Ref {
        let (actor, mut mailbox) = mpsc::channel(CAPACITY);
        tokio::spawn(async move {
            while let Some(msg) = mailbox.recv().await {
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

/// The unbounded channel.
#[derive(Clone)]
pub(super) struct TokioUnbounded;

impl Competitor for TokioUnbounded {
    const NAME: &'static str = "tokio-unbounded";
    type Ref = mpsc::UnboundedSender<Msg>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, mut counter: Counter<Self::Ref>) -> Self::Ref {
        let (actor, mut mailbox) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(msg) = mailbox.recv().await {
                if handle::<Self, _>(&mut counter, msg, reply).await.is_break() {
                    break;
                }
            }
        });
        actor
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.send(Msg::Add(amount)).expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        let (to, total) = oneshot::channel();
        actor.send(Msg::Total(to)).expect(ALIVE);
        total.await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.send(Msg::Pass(hops)).expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        actor.send(Msg::Stop).expect(ALIVE);
    }
}
