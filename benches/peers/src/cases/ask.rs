//! Callers that ask.

use tokio::task::JoinSet;

use crate::competitors::{Competitor, all_gone, spawn_counter};
use crate::meter::{Sample, Stopwatch};

/// Time for an ask, over all callers. One caller is the calling task, more are tasks of their own.
pub async fn ask<C: Competitor>(competitor: C, callers: u64, asks: u64) -> Sample {
    let each = asks / callers;
    let mut actors = Vec::new();
    for _ in 0..callers {
        let actor = spawn_counter(&competitor).await;
        assert_eq!(C::total(&actor).await, 0, "the actor has started");
        actors.push(actor);
    }

    let watch = Stopwatch::start();
    if let [actor] = &actors[..] {
        call::<C>(actor, each).await;
    } else {
        let mut tasks = JoinSet::new();
        for actor in &actors {
            let actor = actor.clone();
            tasks.spawn(async move { call::<C>(&actor, each).await });
        }
        tasks.join_all().await;
    }
    let sample = watch.per(each * callers);

    for actor in actors {
        C::stop(actor).await;
    }
    all_gone().await;
    sample
}

async fn call<C: Competitor>(actor: &C::Ref, asks: u64) {
    for _ in 0..asks {
        C::total(actor).await;
    }
}
