//! Publish and subscribe, and dead letters: `cargo run --example 08_topic`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;
use casty::{DeadLetter, Overflow};

#[message]
#[derive(Clone, Debug)]
struct Price {
    of: String,
    cents: u64,
}

/// Shows the prices that it is told.
struct Display {
    place: &'static str,
}

#[actor]
impl Display {
    #[handler]
    fn price(&mut self, price: Price) {
        println!("  {}: {} costs {} cents", self.place, price.of, price.cents);
    }

    /// Answers when everything before it was handled.
    #[message]
    fn seen(&self) {}
}

/// Hears of the messages that nobody handled.
struct Undertaker;

#[actor(local)]
impl Undertaker {
    #[handler]
    fn letter(&mut self, letter: DeadLetter) {
        println!("  nobody handled a {} for {}: {:?}", letter.message, letter.actor, letter.reason);
    }

    #[message]
    fn told(&self) {}
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("shop");
    let undertaker = system.spawn(Undertaker).await?;
    system.dead_letters().topic().subscribe(&undertaker);

    let window = system.spawn(Display { place: "window" }).named("window").await?;
    // Who is slow sees the latest price and misses older ones: its mailbox holds two.
    let counter = system.spawn(Display { place: "counter" }).mailbox(2).overflow(Overflow::DropOldest).await?;

    let prices = system.topic::<Price>("prices")?;
    prices.subscribe(&window);
    prices.subscribe(&counter);
    for (of, cents) in [("tea", 250), ("coffee", 300)] {
        let reached = prices.publish(Price { of: of.to_owned(), cents });
        println!("the price of {of} reached {reached} displays");
        window.seen().await?;
        counter.seen().await?;
    }

    // A subscriber that has stopped is forgotten; what is sent to it by hand is a dead letter.
    window.stop();
    window.stopped().await;
    println!("now it reaches {}", prices.publish(Price { of: "cake".to_owned(), cents: 400 }));
    counter.seen().await?;
    assert!(window.try_send(Price { of: "cake".to_owned(), cents: 400 }).is_err());
    undertaker.told().await?;
    system.shutdown().await;
    Ok(())
}
