//! Coerce: a type for each message, boxed on its way, with boxed futures for handlers. Mailboxes are unbounded.

use async_trait::async_trait;
use coerce::actor::context::ActorContext;
use coerce::actor::lifecycle::Stop;
use coerce::actor::message::{Handler, Message};
use coerce::actor::system::ActorSystem;
use coerce::actor::{Actor, LocalActorRef};

use super::{Competitor, Counter};

const ALIVE: &str = "the actor is alive";

struct Add(u64);

impl Message for Add {
    type Result = ();
}

struct Total;

impl Message for Total {
    type Result = u64;
}

struct Pass(u64);

impl Message for Pass {
    type Result = ();
}

pub(super) struct Player(Counter<LocalActorRef<Player>>);

impl Actor for Player {}

#[async_trait]
impl Handler<Add> for Player {
    async fn handle(&mut self, Add(amount): Add, _: &mut ActorContext) {
        self.0.add(amount);
    }
}

#[async_trait]
impl Handler<Total> for Player {
    async fn handle(&mut self, _: Total, _: &mut ActorContext) -> u64 {
        self.0.total()
    }
}

#[async_trait]
impl Handler<Pass> for Player {
    async fn handle(&mut self, Pass(hops): Pass, _: &mut ActorContext) {
        if let Some(next) = self.0.catch(hops) {
            next.notify(Pass(hops - 1)).expect(ALIVE);
        }
    }
}

#[derive(Clone)]
pub(super) struct Coerce(ActorSystem);

impl Competitor for Coerce {
    const NAME: &'static str = "coerce";
    type Ref = LocalActorRef<Player>;

    fn start() -> Self {
        Self(ActorSystem::new())
    }

    async fn spawn(&self, counter: Counter<Self::Ref>) -> Self::Ref {
        self.0.new_anon_actor(Player(counter)).await.expect("the actor starts")
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.notify(Add(amount)).expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        actor.send(Total).await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.notify(Pass(hops)).expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        actor.notify(Stop(None)).expect(ALIVE);
    }
}
