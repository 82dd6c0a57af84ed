//! The paths of actors in one process that everything else stands on, so that a regression shows:
//! `cargo bench -p casty --bench local`. How casty compares with others is measured in `benches/peers`.
#![expect(clippy::unwrap_used, reason = "a bench is no library")]

mod adder;

use std::time::{Duration, Instant};

use casty::prelude::*;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use self::adder::{Add, Adder, Sum};

fn runtimes() -> [(&'static str, Runtime); 2] {
    [
        ("1 thread", Builder::new_current_thread().enable_all().build().unwrap()),
        ("2 workers", Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()),
    ]
}

/// Times `work`, which does as many operations as it is told, on each kind of runtime.
fn on_each<F: Future<Output = ()> + Send + 'static>(c: &mut Criterion, name: &str, work: fn(u64, ActorSystem) -> F) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    for (kind, runtime) in runtimes() {
        group.bench_function(BenchmarkId::from_parameter(kind), |bencher| {
            bencher.iter_custom(|count| {
                let took = async move {
                    let begun = Instant::now();
                    work(count, ActorSystem::new("bench")).await;
                    begun.elapsed()
                };
                // A task: what the main thread of a runtime with workers does is no measure.
                runtime.block_on(async { tokio::spawn(took).await.unwrap() })
            });
        });
    }
    group.finish();
}

async fn tell(count: u64, system: ActorSystem) {
    let adder = system.spawn(Adder(0)).await.unwrap();
    for _ in 0..count {
        adder.send(Add(1)).await.unwrap();
    }
    assert_eq!(adder.ask(Sum).await, Ok(count));
}

async fn four_producers(count: u64, system: ActorSystem) {
    let adder = system.spawn(Adder(0)).await.unwrap();
    let mut producers = JoinSet::new();
    for _ in 0..4 {
        let adder = adder.clone();
        producers.spawn(async move {
            for _ in 0..count.div_ceil(4) {
                adder.send(Add(1)).await.unwrap();
            }
        });
    }
    producers.join_all().await;
    assert_eq!(adder.ask(Sum).await, Ok(count.div_ceil(4) * 4));
}

async fn fan_out(count: u64, system: ActorSystem) {
    let mut adders = Vec::new();
    for _ in 0..64 {
        adders.push(system.spawn(Adder(0)).await.unwrap());
    }
    for _ in 0..count.div_ceil(64) {
        for adder in &adders {
            adder.send(Add(1)).await.unwrap();
        }
    }
    for adder in &adders {
        assert_eq!(adder.ask(Sum).await, Ok(count.div_ceil(64)));
    }
}

async fn ask(count: u64, system: ActorSystem) {
    let adder = system.spawn(Adder(7)).await.unwrap();
    for _ in 0..count {
        assert_eq!(adder.ask(Sum).await, Ok(7));
    }
}

async fn ask_async_handler(count: u64, system: ActorSystem) {
    let adder = system.spawn(Adder(7)).await.unwrap();
    for _ in 0..count {
        assert_eq!(adder.sum_later().await, Ok(7));
    }
}

async fn spawn_and_stop(count: u64, system: ActorSystem) {
    for _ in 0..count {
        let adder = system.spawn(Adder(0)).await.unwrap();
        adder.send(Add(1)).await.unwrap();
        adder.drain();
        adder.stopped().await;
    }
}

fn benches(c: &mut Criterion) {
    on_each(c, "tell", tell);
    on_each(c, "tell, 4 producers", four_producers);
    on_each(c, "fan-out to 64", fan_out);
    on_each(c, "ask", ask);
    on_each(c, "ask an async handler", ask_async_handler);
    on_each(c, "spawn and stop", spawn_and_stop);
}

criterion_group! {
    name = local;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = benches
}
criterion_main!(local);
