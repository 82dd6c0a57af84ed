//! One counter, and many who use it at the same time: `cargo run --example 09_counter`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use casty::prelude::*;
use tokio::task::JoinSet;

/// The actor handles one message at a time, so its state needs no lock.
struct Counter {
    count: u64,
    limit: u64,
}

#[message]
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the counter ends at {limit}")]
struct Full {
    limit: u64,
}

#[actor]
impl Counter {
    #[message]
    fn add(&mut self, amount: u64) -> Result<u64, Full> {
        if self.count + amount > self.limit {
            return Err(Full { limit: self.limit });
        }
        self.count += amount;
        Ok(self.count)
    }

    #[message]
    fn count(&self) -> u64 {
        self.count
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("counting");
    // Sixteen messages may wait: then who sends waits too, and nothing grows.
    let counter = system.spawn(Counter { count: 0, limit: 10_000 }).mailbox(16).await?;

    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let counter = counter.clone();
        callers.spawn(async move {
            for _ in 0..1_000 {
                counter.add(1).await?;
            }
            Ok::<_, AskError<Full>>(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    println!("eight callers counted to {}", counter.count().await?);

    // `send` wants no reply and waits for nothing but room. What one caller sends stays in order.
    for _ in 0..2_000 {
        counter.add(1).send().await?;
    }
    println!("2000 sends later it is {}", counter.count().await?);

    // Errors come back with their type, each failure of the call by its name.
    match counter.add(1).timeout(Duration::from_millis(100)).await {
        Err(AskError::Handler(Full { limit })) => println!("no further: {limit} is the limit"),
        Err(other) => return Err(other.into()),
        Ok(count) => println!("it went on to {count}"),
    }
    system.shutdown().await;
    Ok(())
}
