//! Kameo: a type for each message, boxed on its way. Mailboxes are tokio's channels, bounded or not.

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};

use super::{CAPACITY, Competitor, Counter};

const ALIVE: &str = "the actor is alive";

struct Add(u64);
struct Total;
struct Pass(u64);

#[derive(Actor)]
pub(super) struct Player(Counter<ActorRef<Player>>);

impl Message<Add> for Player {
    type Reply = ();

    async fn handle(&mut self, Add(amount): Add, _: &mut Context<Self, ()>) {
        self.0.add(amount);
    }
}

impl Message<Total> for Player {
    type Reply = u64;

    async fn handle(&mut self, _: Total, _: &mut Context<Self, u64>) -> u64 {
        self.0.total()
    }
}

impl Message<Pass> for Player {
    type Reply = ();

    async fn handle(&mut self, Pass(hops): Pass, _: &mut Context<Self, ()>) {
        if let Some(next) = self.0.catch(hops) {
            next.tell(Pass(hops - 1)).await.expect(ALIVE);
        }
    }
}

#[derive(Clone)]
pub(super) struct Kameo<const BOUNDED: bool>;

impl<const BOUNDED: bool> Competitor for Kameo<BOUNDED> {
    const NAME: &'static str = if BOUNDED { "kameo-bounded" } else { "kameo-unbounded" };
    type Ref = ActorRef<Player>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, counter: Counter<Self::Ref>) -> Self::Ref {
        let mailbox = if BOUNDED { mailbox::bounded(CAPACITY) } else { mailbox::unbounded() };
        Player::spawn_with_mailbox(Player(counter), mailbox)
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.tell(Add(amount)).await.expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        actor.ask(Total).await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.tell(Pass(hops)).await.expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        actor.stop_gracefully().await.expect(ALIVE);
    }
}
