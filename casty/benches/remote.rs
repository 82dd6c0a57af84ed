//! Asks between two nodes, beside a plain TCP echo: `cargo bench -p casty --bench remote`.
//!
//! Both nodes, and both ends of the echo, are in this one process and share its two workers: connections are over loopback,
//! and no context switch between processes is in the figures. They show what casty adds to a socket, and regressions of
//! that; they are no figures of two machines, or of two processes.
#![expect(clippy::unwrap_used, reason = "a bench is no library")]

mod adder;

use std::time::{Duration, Instant};

use casty::prelude::*;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use self::adder::{Adder, Sum};

/// How many askers there are at one time, where there are many.
const IN_FLIGHT: u64 = 256;

/// As many bytes go each way in the echo as in an ask, about: head, message, frame.
const ECHO_BYTES: usize = 32;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Two nodes, and the reference that the second has to an actor of the first.
async fn nodes() -> (Node, Node, ActorRef<Adder>) {
    let config = |number: u32| {
        ClusterConfig::new("127.0.0.1:0").node_id(format!("node-{number}")).expected_size(2).tls(Tls::insecure())
    };
    let first = ActorSystem::cluster(config(1).seeds(["127.0.0.1:1"])).await.unwrap();
    let second = ActorSystem::cluster(config(2).seeds([first.address()])).await.unwrap();
    first.ready().await.unwrap();
    second.ready().await.unwrap();
    let adder = first.spawn(Adder(7)).await.unwrap();
    let far = second.import(&first.export(&adder).unwrap()).unwrap();
    (first, second, far)
}

async fn ask(far: ActorRef<Adder>, count: u64) {
    for _ in 0..count {
        assert_eq!(far.ask(Sum).await, Ok(7));
    }
}

async fn ask_many(far: ActorRef<Adder>, count: u64) {
    let mut askers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        askers.spawn(ask(far.clone(), count.div_ceil(IN_FLIGHT)));
    }
    while let Some(asked) = askers.join_next().await {
        asked.unwrap();
    }
}

async fn echo() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut bytes = [0; ECHO_BYTES];
        while stream.read_exact(&mut bytes).await.is_ok() && stream.write_all(&bytes).await.is_ok() {}
    });
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

async fn call(stream: &mut TcpStream, count: u64) {
    let mut bytes = [1; ECHO_BYTES];
    for _ in 0..count {
        stream.write_all(&bytes).await.unwrap();
        stream.read_exact(&mut bytes).await.unwrap();
    }
}

async fn timed(work: impl Future<Output = ()> + Send + 'static) -> Duration {
    // A task: what the main thread of a runtime with workers does is no measure.
    tokio::spawn(async move {
        let begun = Instant::now();
        work.await;
        begun.elapsed()
    })
    .await
    .unwrap()
}

fn remote(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("remote, one process");
    group.throughput(Throughput::Elements(1));
    group.bench_function("plain TCP echo, one at a time", |bencher| {
        bencher.iter_custom(|count| {
            runtime.block_on(async {
                let mut stream = echo().await;
                timed(async move { call(&mut stream, count).await }).await
            })
        });
    });
    let (first, second, far) = runtime.block_on(nodes());
    group.bench_function("ask, one at a time", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(timed(ask(far.clone(), count))));
    });
    group.bench_function("ask, 256 in flight", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(timed(ask_many(far.clone(), count))));
    });
    group.finish();
    drop(far);
    runtime.block_on(async move {
        second.shutdown().await;
        first.shutdown().await;
    });
}

criterion_group!(benches, remote);
criterion_main!(benches);
