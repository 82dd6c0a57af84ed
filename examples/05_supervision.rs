//! Children that fail, and start again: `cargo run --example 05_supervision`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use casty::prelude::*;

/// Divides. It remembers how often, which a restart forgets.
struct Divider {
    done: u64,
}

#[actor]
impl Divider {
    #[message]
    fn divide(&mut self, a: u64, b: u64) -> (u64, u64) {
        let quotient = a / b; // by zero: a panic
        self.done += 1;
        (quotient, self.done)
    }

    // What becomes of it then. Without this it restarts too.
    fn on_error(&mut self, failure: &Failure) -> Directive {
        println!("  the divider failed: {failure}");
        Directive::Restart
    }
}

/// Has a divider, and knows when it is gone.
struct Office {
    divider: Option<ActorRef<Divider>>,
}

#[actor(local)]
impl Office {
    #[message]
    fn staff(&self) -> Option<ActorRef<Divider>> {
        self.divider.clone()
    }

    /// Children are spawned with a closure that makes them as often as is needed.
    async fn on_start(&mut self, ctx: &mut Ctx<Self>) -> Result<(), BoxError> {
        let restarts = Restarts::at_most(2, Duration::from_secs(60));
        let divider = ctx.spawn_with(|| Divider { done: 0 }).restarts(restarts).named("divider").await?;
        ctx.watch(&divider)?;
        self.divider = Some(divider);
        Ok(())
    }

    /// Failed too often, it is not started again. Its parent is asked what to do: here, to go on without.
    fn on_error(&mut self, failure: &Failure) -> Directive {
        println!("  the office hears: {failure}");
        Directive::Resume
    }

    fn on_terminated(&mut self, terminated: Terminated) {
        println!("  {} has stopped: {}", terminated.who, terminated.reason);
        self.divider = None;
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    std::panic::set_hook(Box::new(|_| ())); // the failures below are meant
    let system = ActorSystem::new("office");
    let office = system.spawn(Office { divider: None }).await?;
    let divider = office.staff().await?.ok_or("the office has no divider")?;
    for _ in 0..3 {
        println!("20 / 5 = {:?}", divider.divide(20, 5).await?);
        println!("20 / 4 = {:?}", divider.divide(20, 4).await?);
        println!("20 / 0 = {:?}", divider.divide(20, 0).await);
    }
    divider.stopped().await;
    println!("the office has a divider: {}", office.staff().await?.is_some());
    system.shutdown().await;
    Ok(())
}
