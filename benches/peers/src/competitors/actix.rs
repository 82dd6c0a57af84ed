//! Actix: a type for each message, boxed on its way. Actors are bound to one thread, and tells ignore the mailbox's bound.
//!
//! With two threads, the callers share one and the actors the other: every ask crosses between them twice.

use actix::{Actor, ActorContext, Addr, Arbiter, ArbiterHandle, Context, Handler, Message, System};

use super::{CAPACITY, Competitor, Counter};
use crate::meter::Threads;

const ALIVE: &str = "the actor is alive";

#[derive(Message)]
#[rtype(result = "()")]
struct Add(u64);

#[derive(Message)]
#[rtype(result = "u64")]
struct Total;

#[derive(Message)]
#[rtype(result = "()")]
struct Pass(u64);

#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

pub(super) struct Player(Counter<Addr<Player>>);

impl Actor for Player {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(CAPACITY);
    }
}

impl Handler<Add> for Player {
    type Result = ();

    fn handle(&mut self, Add(amount): Add, _: &mut Self::Context) {
        self.0.add(amount);
    }
}

impl Handler<Total> for Player {
    type Result = u64;

    fn handle(&mut self, _: Total, _: &mut Self::Context) -> u64 {
        self.0.total()
    }
}

impl Handler<Pass> for Player {
    type Result = ();

    fn handle(&mut self, Pass(hops): Pass, _: &mut Self::Context) {
        if let Some(next) = self.0.catch(hops) {
            next.do_send(Pass(hops - 1));
        }
    }
}

impl Handler<Stop> for Player {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// The thread on which actors are started.
#[derive(Clone)]
pub(super) struct Actix(ArbiterHandle);

impl Competitor for Actix {
    const NAME: &'static str = "actix";
    type Ref = Addr<Player>;

    fn start() -> Self {
        Self(Arbiter::current())
    }

    fn run<W, F, T>(threads: Threads, work: W) -> T
    where
        W: FnOnce(Self) -> F + Send + 'static,
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        System::new().block_on(async {
            let other = (threads == Threads::Two).then(Arbiter::new);
            let actix = other.as_ref().map_or_else(Self::start, |arbiter| Self(arbiter.handle()));
            let result = tokio::spawn(work(actix)).await;
            if let Some(arbiter) = other {
                arbiter.stop();
                arbiter.join().expect("no actor panics");
            }
            result.expect("the work does not panic")
        })
    }

    async fn spawn(&self, counter: Counter<Self::Ref>) -> Self::Ref {
        Player::start_in_arbiter(&self.0, |_| Player(counter))
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        actor.do_send(Add(amount));
    }

    async fn total(actor: &Self::Ref) -> u64 {
        actor.send(Total).await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        actor.do_send(Pass(hops));
    }

    async fn stop(actor: Self::Ref) {
        actor.do_send(Stop);
    }
}
