//! Actors that do nothing, and what they cost meanwhile.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::competitors::{Competitor, spawn_counter};
use crate::meter::{Threads, cpu_time, resident_bytes};

/// How long idle actors are watched.
pub const WATCHED: Duration = Duration::from_secs(5);

/// How long they have to come to rest before that.
const SETTLING: Duration = Duration::from_secs(1);

/// What idle actors cost.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Idle {
    /// Memory of an actor that has never got a message, in bytes.
    pub new_bytes: f64,
    /// Memory of an actor that has answered once, in bytes.
    pub used_bytes: f64,
    /// Processor time of all actors in [`WATCHED`], in milliseconds.
    pub cpu_ms: f64,
}

/// Measures so many idle actors. The process has to be a fresh one, since memory that was freed before would be used again.
pub fn idle<C: Competitor>(actors: usize) -> io::Result<Idle> {
    C::run(Threads::Two, move |competitor| watch(competitor, actors))
}

async fn watch<C: Competitor>(competitor: C, count: usize) -> io::Result<Idle> {
    // What the first actor and the first reply bring into memory is not theirs, nor is the room for the references.
    C::total(&spawn_counter(&competitor).await).await;
    let mut actors: Vec<Option<C::Ref>> = Vec::new();
    actors.resize_with(count, || None);

    let before = resident_bytes()?;
    for actor in &mut actors {
        *actor = Some(spawn_counter(&competitor).await);
    }
    tokio::time::sleep(SETTLING).await;
    let new = resident_bytes()? - before;

    let cpu_before = cpu_time();
    tokio::time::sleep(WATCHED).await;
    let cpu = cpu_time() - cpu_before;

    for actor in actors.iter().flatten() {
        C::total(actor).await;
    }
    let used = resident_bytes()? - before;
    let each = |bytes: f64| bytes / count as f64;
    Ok(Idle { new_bytes: each(new), used_bytes: each(used), cpu_ms: cpu.as_secs_f64() * 1e3 })
}
