//! Casty: a type for each message, which the macros gather in one enum for each actor. Mailboxes are bounded, asks end by
//! their deadline; both by default.

use casty::prelude::*;

use super::{Competitor, Counter};

const ALIVE: &str = "the actor is alive";

#[message]
struct Add(u64);

#[message]
struct Total;

#[message]
struct Pass(u64);

pub(super) struct Player(Counter<ActorRef<Player>>);

#[actor]
impl Player {
    #[handler]
    fn add(&mut self, Add(amount): Add) {
        self.0.add(amount);
    }

    #[handler]
    fn total(&self, _: Total) -> u64 {
        self.0.total()
    }

    #[handler]
    async fn pass(&mut self, Pass(hops): Pass) {
        if let Some(next) = self.0.catch(hops) {
            Casty::pass(next, hops - 1).await;
        }
    }
}

#[derive(Clone)]
pub(super) struct Casty(ActorSystem);

impl Competitor for Casty {
    const NAME: &'static str = "casty";
    type Ref = ActorRef<Player>;

    fn start() -> Self {
        Self(ActorSystem::new("peers"))
    }

    async fn spawn(&self, counter: Counter<Self::Ref>) -> Self::Ref {
        self.0.spawn(Player(counter)).await.expect("the system is not shut down")
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.send(Add(amount)).await.expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        actor.ask(Total).await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.send(Pass(hops)).await.expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        actor.drain();
    }
}
