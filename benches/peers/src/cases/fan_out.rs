//! One producer that tells many actors in turn.

use crate::competitors::{Competitor, all_gone, spawn_counter};
use crate::meter::{Sample, Stopwatch};

/// Time for a tell, until an ask to each actor is answered.
pub async fn fan_out<C: Competitor>(competitor: C, width: u64, tells: u64) -> Sample {
    let each = tells / width;
    let mut actors = Vec::new();
    for _ in 0..width {
        let actor = spawn_counter(&competitor).await;
        assert_eq!(C::total(&actor).await, 0, "the actor has started");
        actors.push(actor);
    }

    let watch = Stopwatch::start();
    for _ in 0..each {
        for actor in &actors {
            C::add(actor, 1).await;
        }
    }
    for actor in &actors {
        assert_eq!(C::total(actor).await, each, "{} handled all tells before the ask", C::NAME);
    }
    let sample = watch.per(each * width);

    for actor in actors {
        C::stop(actor).await;
    }
    all_gone().await;
    sample
}
