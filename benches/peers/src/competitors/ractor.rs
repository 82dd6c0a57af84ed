//! Ractor: an enum of messages for each actor, boxed on its way. Mailboxes are unbounded.

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call};

use super::{Competitor, Counter};

const ALIVE: &str = "the actor is alive";

#[cfg_attr(feature = "remote", derive(ractor_cluster::RactorMessage))]
pub(super) enum Msg {
    Add(u64),
    Total(RpcReplyPort<u64>),
    Pass(u64),
}

struct Player;

impl Actor for Player {
    type Msg = Msg;
    type State = Counter<ActorRef<Msg>>;
    type Arguments = Self::State;

    async fn pre_start(&self, _: ActorRef<Msg>, counter: Self::State) -> Result<Self::State, ActorProcessingErr> {
        Ok(counter)
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, counter: &mut Self::State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Add(amount) => counter.add(amount),
            Msg::Total(reply) => reply.send(counter.total())?,
            Msg::Pass(hops) => {
                if let Some(next) = counter.catch(hops) {
                    next.cast(Msg::Pass(hops - 1))?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone)]
pub(super) struct Ractor;

impl Competitor for Ractor {
    const NAME: &'static str = "ractor";
    type Ref = ActorRef<Msg>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, counter: Counter<Self::Ref>) -> Self::Ref {
        let (actor, _) = Player::spawn(None, Player, counter).await.expect("the actor starts");
        actor
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.cast(Msg::Add(amount)).expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        call!(actor, Msg::Total).expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.cast(Msg::Pass(hops)).expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        // Its `stop` overtakes the messages that are queued.
        actor.drain().expect(ALIVE);
    }
}
