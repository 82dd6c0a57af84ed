//! Producers that tell one actor.

use tokio::task::JoinSet;

use crate::competitors::{Competitor, all_gone, spawn_counter};
use crate::meter::{Sample, Stopwatch};

/// Time for a tell, until an ask after all of them is answered. One producer is the calling task, more are tasks of their own.
pub async fn tell<C: Competitor>(competitor: C, producers: u64, tells: u64) -> Sample {
    let each = tells / producers;
    let actor = spawn_counter(&competitor).await;
    assert_eq!(C::total(&actor).await, 0, "the actor has started");

    let watch = Stopwatch::start();
    if producers == 1 {
        produce::<C>(&actor, each).await;
    } else {
        let mut tasks = JoinSet::new();
        for _ in 0..producers {
            let actor = actor.clone();
            tasks.spawn(async move { produce::<C>(&actor, each).await });
        }
        tasks.join_all().await;
    }
    let total = C::total(&actor).await;
    let sample = watch.per(each * producers);

    assert_eq!(total, each * producers, "{} handled all tells before the ask", C::NAME);
    C::stop(actor).await;
    all_gone().await;
    sample
}

async fn produce<C: Competitor>(actor: &C::Ref, tells: u64) {
    for _ in 0..tells {
        C::add(actor, 1).await;
    }
}
