//! Replies of many items: `cargo run --example 10_streams`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;
use casty::{ReplyStream, StreamSender};

/// A ledger that is read in pieces, and that can be followed.
#[derive(Default)]
struct Ledger {
    entries: Vec<i64>,
    followers: Vec<StreamSender<i64>>,
}

#[actor(local)]
impl Ledger {
    #[message]
    async fn book(&mut self, amount: i64) {
        self.entries.push(amount);
        // Waits for followers that are behind: they set the pace. Those that have left are let go.
        let mut stay = Vec::new();
        for follower in self.followers.drain(..) {
            if follower.send(amount).await.is_ok() {
                stay.push(follower);
            }
        }
        self.followers = stay;
    }

    /// The entries so far. Each is made as it is asked for, and the ledger goes on meanwhile.
    #[message]
    fn entries(&self) -> ReplyStream<i64> {
        ReplyStream::from_iter(self.entries.clone())
    }

    /// The entries from now on.
    #[message]
    fn follow(&mut self) -> ReplyStream<i64> {
        let (follower, reply) = ReplyStream::channel(2);
        self.followers.push(follower);
        reply
    }

    #[message]
    fn close(&mut self) {
        self.followers.drain(..).for_each(StreamSender::finish);
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("bank");
    let ledger = system.spawn(Ledger::default()).await?;
    for amount in [100, -30, 5] {
        ledger.book(amount).await?;
    }
    let (mut sum, mut entries) = (0, ledger.entries().await?);
    while let Some(entry) = entries.next().await {
        sum += entry?;
    }
    println!("the entries so far sum up to {sum}");

    let mut following = ledger.follow().await?;
    let follower = tokio::spawn(async move {
        while let Some(entry) = following.next().await {
            println!("  booked: {}", entry?);
        }
        println!("  the ledger is closed");
        Ok::<_, casty::StreamError>(())
    });
    for amount in 1..=5 {
        ledger.book(amount).await?;
    }
    ledger.close().await?;
    follower.await??;
    system.shutdown().await;
    Ok(())
}
