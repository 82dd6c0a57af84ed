//! Xtra: a type for each message, boxed on its way. A tell is a send whose reply is let go.
//!
//! Messages of one priority are not handled in the order in which they were sent. Tells have a higher priority here, so that
//! the ask that follows them finds them handled.

use xtra::{Actor, Address, Context, Handler, Mailbox};

use super::{CAPACITY, Competitor, Counter};

const ALIVE: &str = "the actor is alive";
const FIRST: u32 = 1;

struct Add(u64);
struct Total;
struct Pass(u64);
struct Stop;

#[derive(Actor)]
pub(super) struct Player(Counter<Address<Player>>);

impl Handler<Add> for Player {
    type Return = ();

    async fn handle(&mut self, Add(amount): Add, _: &mut Context<Self>) {
        self.0.add(amount);
    }
}

impl Handler<Total> for Player {
    type Return = u64;

    async fn handle(&mut self, _: Total, _: &mut Context<Self>) -> u64 {
        self.0.total()
    }
}

impl Handler<Pass> for Player {
    type Return = ();

    async fn handle(&mut self, Pass(hops): Pass, _: &mut Context<Self>) {
        if let Some(next) = self.0.catch(hops) {
            _ = next.send(Pass(hops - 1)).detach().await.expect(ALIVE);
        }
    }
}

impl Handler<Stop> for Player {
    type Return = ();

    async fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop_self();
    }
}

#[derive(Clone)]
pub(super) struct Xtra<const BOUNDED: bool>;

impl<const BOUNDED: bool> Competitor for Xtra<BOUNDED> {
    const NAME: &'static str = if BOUNDED { "xtra-bounded" } else { "xtra-unbounded" };
    type Ref = Address<Player>;

    fn start() -> Self {
        Self
    }

    async fn spawn(&self, counter: Counter<Self::Ref>) -> Self::Ref {
        let mailbox = if BOUNDED { Mailbox::bounded(CAPACITY) } else { Mailbox::unbounded() };
        xtra::spawn_tokio(Player(counter), mailbox)
    }

    async fn add(actor: &Self::Ref, amount: u64) {
        _ = actor.send(Add(amount)).priority(FIRST).detach().await.expect(ALIVE);
    }

    async fn total(actor: &Self::Ref) -> u64 {
        actor.send(Total).await.expect(ALIVE)
    }

    async fn pass(actor: &Self::Ref, hops: u64) {
        _ = actor.send(Pass(hops)).detach().await.expect(ALIVE);
    }

    async fn stop(actor: Self::Ref) {
        _ = actor.send(Stop).detach().await.expect(ALIVE);
    }
}
