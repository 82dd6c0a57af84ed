//! Every hook, with and without what may be left out, and what the context offers.
#![deny(warnings)]

use std::time::Duration;

use casty::prelude::*;
use casty::{Overflow, Pool, Routing, Topic};

#[message]
#[derive(Clone)]
struct Tick;

#[message(local)]
#[derive(Clone)]
struct Thing;

struct Worker;

#[actor]
impl Worker {
    #[handler]
    async fn tick(&mut self, _: Tick, ctx: &Ctx<Self>) {
        tokio_free(ctx.name()).await;
    }

    fn on_terminated(&mut self, _: Terminated) {}
}

async fn tokio_free(_: Option<&str>) {}

struct Boss<T> {
    thing: T,
    workers: Option<Pool<Worker>>,
}

#[actor(local)]
impl<T: Clone + Send + Sync + 'static> Boss<T> {
    #[message]
    async fn hire(&mut self, prices: Topic<Tick>, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        ctx.supervise(Strategy::RestForOne);
        let restarts = Restarts::at_most(1, Duration::from_secs(1)).backoff(Duration::ZERO, Duration::ZERO);
        let first = ctx.spawn_with(|| Worker).restarts(restarts).overflow(Overflow::DropOldest).await?;
        ctx.watch(&first)?;
        ctx.link(&first)?;
        prices.subscribe(&first);
        self.workers = Some(ctx.system().pool(2, || Worker).routing(Routing::least_loaded()).await?);
        Ok(())
    }

    #[handler]
    fn thing(&mut self, _: Thing, ctx: &mut Ctx<Self>) -> T {
        let timer = ctx.every(Duration::from_secs(1), Thing);
        ctx.cancel(timer);
        ctx.stash::<Thing>();
        ctx.unstash_all();
        ctx.pipe_to_self(async {}, |()| Thing);
        self.thing.clone()
    }

    async fn on_terminated(&mut self, ctx: &mut Ctx<Self>, terminated: Terminated) {
        let _ = (ctx.id(), terminated.who.name(), terminated.reason.is_normal());
    }

    fn on_error(&mut self, failure: &Failure) -> Directive {
        if failure.child.is_some() { Directive::Escalate } else { Directive::Restart }
    }
}
