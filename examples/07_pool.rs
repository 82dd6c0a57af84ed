//! Workers that share what is to be done: `cargo run --example 07_pool`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::atomic::{AtomicU32, Ordering};

use casty::Routing;
use casty::prelude::*;
use futures_util::future::join_all;

/// Counts primes, the slow way.
struct Counter {
    number: u32,
}

#[actor]
impl Counter {
    /// How many primes are below `limit`, and who counted them.
    #[message]
    fn primes_below(&mut self, limit: u64) -> (usize, u32) {
        let is_prime = |n: &u64| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
        ((2..limit).filter(is_prime).count(), self.number)
    }
}

/// Counts words, each worker those that begin with its letters.
#[derive(Default)]
struct Words {
    counts: std::collections::BTreeMap<String, u64>,
}

#[actor]
impl Words {
    #[message]
    fn count(&mut self, word: String) -> u64 {
        let count = self.counts.entry(word).or_default();
        *count += 1;
        *count
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let system = ActorSystem::new("pools");

    // Each question goes to the worker with the fewest waiting. A worker that fails is made anew by the closure.
    let next = AtomicU32::new(0);
    let make = move || Counter { number: next.fetch_add(1, Ordering::Relaxed) };
    let counters = system.pool(4, make).routing(Routing::least_loaded()).await?;
    let limits: Vec<u64> = (1..=8).map(|n| n * 20_000).collect();
    let asked = limits.iter().map(|limit| async { (*limit, counters.primes_below(*limit).await) });
    for (limit, counted) in join_all(asked).await {
        let (primes, worker) = counted?;
        println!("{primes:>6} primes below {limit:>6}, says worker {worker}");
    }

    // Equal words go to the same worker: its state is a part of the whole.
    let by_word = Routing::consistent_hash(|msg: &WordsMsg| match msg {
        WordsMsg::Count(count, _) => count.word.clone(),
    });
    let words = system.pool(4, Words::default).routing(by_word).await?;
    for word in "to be or not to be that is the question whether to be".split(' ') {
        println!("{word:>9} for the {}. time", words.count(word.to_owned()).await?);
    }
    system.shutdown().await;
    Ok(())
}
