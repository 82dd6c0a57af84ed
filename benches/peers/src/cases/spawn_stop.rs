//! Actors that live for one message.

use crate::competitors::{Competitor, all_gone, spawn_counter};
use crate::meter::{Sample, Stopwatch};

/// Time for a whole life: all actors are spawned and told once, then all are stopped, until the state of each is dropped.
pub async fn spawn_stop<C: Competitor>(competitor: C, lives: u64) -> Sample {
    let watch = Stopwatch::start();
    let mut actors = Vec::with_capacity(lives as usize);
    for _ in 0..lives {
        let actor = spawn_counter(&competitor).await;
        C::add(&actor, 1).await;
        actors.push(actor);
    }
    for actor in actors {
        C::stop(actor).await;
    }
    all_gone().await;
    watch.per(lives)
}
