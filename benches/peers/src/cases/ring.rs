//! A ball that goes round a ring of actors. Two of them play ping-pong.

use std::sync::Arc;

use crate::competitors::{Competitor, Seat, all_gone, spawn_player};
use crate::meter::{Sample, Stopwatch};

/// Time for a hop of the ball.
pub async fn ring<C: Competitor>(competitor: C, size: usize, hops: u64) -> Sample {
    let mut players = Vec::new();
    for _ in 0..size {
        let seat = Arc::new(Seat::default());
        let actor = spawn_player(&competitor, &seat).await;
        players.push((actor, seat));
    }
    for (at, (actor, seat)) in players.iter().enumerate() {
        let (next, _) = &players[(at + 1) % size];
        assert!(seat.next.set(next.clone()).is_ok(), "a seat has one neighbour");
        assert_eq!(C::total(actor).await, 0, "the actor has started");
    }

    let (first, _) = &players[0];
    let (_, last) = &players[hops as usize % size];
    let watch = Stopwatch::start();
    C::pass(first, hops).await;
    last.over.notified().await;
    let sample = watch.per(hops);

    for (actor, _) in players {
        C::stop(actor).await;
    }
    all_gone().await;
    sample
}
