//! Actors that have nothing to do.

use std::time::Duration;

use casty::prelude::*;
use tokio::runtime::Handle;

struct Idler(u64);

#[actor(local)]
impl Idler {
    #[message]
    fn call(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_idle_actors_are_not_polled() {
    let system = ActorSystem::new("test");
    let mut actors = Vec::new();
    for _ in 0..10_000 {
        actors.push(system.spawn(Idler(0)).await.unwrap());
    }
    for actor in &actors {
        assert_eq!(actor.call().await, Ok(1));
    }
    let polls = || Handle::current().metrics().worker_poll_count(0);
    // The task that ends overdue asks has a last look, and ends.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let before = polls();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(polls() - before <= 2, "{} polls in an idle hour", polls() - before);
    assert_eq!(actors[0].call().await, Ok(2));
}
