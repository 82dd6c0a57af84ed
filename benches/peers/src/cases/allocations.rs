//! Allocations, which are the same on a busy machine and on a quiet one.

use crate::competitors::{Competitor, all_gone, spawn_counter};
use crate::meter::{Counted, Counting, Threads};

/// What one operation allocates.
#[derive(Clone, Copy, Debug)]
pub struct Allocations {
    /// A tell, handled.
    pub tell: PerOperation,
    /// An ask, answered.
    pub ask: PerOperation,
    /// A spawn, until the actor waits for messages.
    pub spawn: PerOperation,
}

/// Allocations over many operations, divided by their number.
#[derive(Clone, Copy, Debug)]
pub struct PerOperation {
    /// Calls of the allocator.
    pub calls: f64,
    /// Bytes.
    pub bytes: f64,
}

/// How many tells the producer sends before the actor gets its turn.
const BURST: u64 = 100;

/// Counts allocations over so many operations of each kind, on one thread.
pub fn allocations<C: Competitor>(operations: u64) -> Allocations {
    C::run(Threads::One, move |competitor| count(competitor, operations))
}

async fn count<C: Competitor>(competitor: C, operations: u64) -> Allocations {
    let each = |Counted { calls, bytes }| {
        let each = |counted: u64| counted as f64 / operations as f64;
        PerOperation { calls: each(calls), bytes: each(bytes) }
    };
    let actor = spawn_counter(&competitor).await;
    C::total(&actor).await;

    Counting::start();
    for told in 1..=operations {
        C::add(&actor, 1).await;
        if told % BURST == 0 {
            tokio::task::yield_now().await;
        }
    }
    C::total(&actor).await;
    let tell = each(Counting::stop());

    Counting::start();
    for _ in 0..operations {
        C::total(&actor).await;
    }
    let ask = each(Counting::stop());

    let mut actors = Vec::with_capacity(operations as usize);
    Counting::start();
    for _ in 0..operations {
        actors.push(spawn_counter(&competitor).await);
    }
    if let Some(last) = actors.last() {
        C::total(last).await;
    }
    let spawn = each(Counting::stop());

    actors.push(actor);
    for actor in actors {
        C::stop(actor).await;
    }
    all_gone().await;
    Allocations { tell, ask, spawn }
}
