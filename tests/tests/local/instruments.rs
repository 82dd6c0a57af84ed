//! Metrics, as those see them who install a recorder.

use std::collections::BTreeMap;
use std::time::Duration;

use casty::prelude::*;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio::sync::oneshot;

use crate::support::{Worker, diary, soon};

/// Metrics of actors that are not the subject of a test would be in its way: each test has a recorder of its thread.
fn recorder() -> (Snapshotter, metrics::LocalRecorderGuard<'static>) {
    let recorder = Box::leak(Box::new(DebuggingRecorder::new()));
    (recorder.snapshotter(), metrics::set_default_local_recorder(recorder))
}

/// Names with the label that tells apart, and values; a histogram has those that were recorded.
fn values(snapshotter: &Snapshotter) -> BTreeMap<String, Vec<f64>> {
    let one = |(key, _, _, value): (metrics_util::CompositeKey, _, _, DebugValue)| {
        let key = key.key();
        let label = |name: &str| key.labels().find(|label| label.key() == name).map(|label| label.value().to_owned());
        assert_eq!(label("system").as_deref(), Some("test"), "{key}");
        let actor = label("actor").map(|actor| actor.rsplit("::").next().unwrap_or_default().to_owned());
        let more: Vec<_> = [actor, label("reason"), label("outcome")].into_iter().flatten().collect();
        let values = match value {
            DebugValue::Counter(count) => vec![count as f64],
            DebugValue::Gauge(value) => vec![value.0],
            DebugValue::Histogram(values) => values.into_iter().map(|value| value.0).collect(),
        };
        (format!("{} {}", key.name(), more.join(" ")), values)
    };
    snapshotter.snapshot().into_vec().into_iter().map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn what_actors_do_is_counted_by_system_and_type() {
    let (snapshotter, _guard) = recorder();
    let system = ActorSystem::builder("test").time_asks(true).build();
    let (notes, _read) = diary();
    let restarts = Restarts::at_most(1, Duration::from_secs(60));
    let worker = system.spawn_with(move || Worker::new("worker", &notes)).restarts(restarts).await.unwrap();
    for n in 0..3 {
        soon(worker.work(n)).await.unwrap();
    }
    assert_eq!(soon(worker.fail()).await, Err(AskError::Failed));
    let (open, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    for n in 0..4 {
        worker.work(n).send().await.unwrap();
    }
    assert!(worker.work(4).timeout(Duration::from_secs(1)).await.is_err());
    open.send(()).unwrap();
    soon(worker.work(5)).await.unwrap();
    tokio::task::yield_now().await;
    let living = values(&snapshotter);
    assert_eq!(living["casty_actors Worker"], [1.0]);
    // Three, then one that it failed of, then the one in which it waited and six more.
    assert_eq!(living["casty_messages_handled_total Worker"], [11.0]);
    assert_eq!(living["casty_mailbox_depth Worker"], [1.0, 1.0, 1.0, 1.0, 6.0, 1.0]);
    assert_eq!(living["casty_actor_failures_total Worker"], [1.0]);
    assert_eq!(living["casty_actor_restarts_total Worker"], [1.0]);
    assert_eq!(living["casty_ask_seconds Worker replied"].len(), 4);
    assert_eq!(living["casty_ask_seconds Worker failed"].len(), 1);
    assert_eq!(living["casty_ask_seconds Worker timeout"].len(), 1);

    // An ask that nobody waits for any more has an outcome too.
    let (open, gate) = oneshot::channel();
    worker.wait(gate).send().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(1), worker.work(6)).await.is_err());
    open.send(()).unwrap();
    worker.stop();
    assert!(worker.work(7).send().await.is_err());
    soon(worker.stopped()).await;
    // The recorder counts from its last snapshot on.
    let ended = values(&snapshotter);
    assert_eq!(ended["casty_actors Worker"], [-1.0]);
    assert_eq!(ended["casty_dead_letters_total stopped"], [1.0]);
    assert_eq!(ended["casty_ask_seconds Worker dropped"].len(), 1);
    assert!(!ended["casty_mailbox_depth Worker"].contains(&0.0), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn asks_are_timed_only_where_that_is_wanted() {
    let (snapshotter, _guard) = recorder();
    let system = ActorSystem::new("test");
    let worker = system.spawn(Worker::new("worker", &diary().0)).await.unwrap();
    soon(worker.work(1)).await.unwrap();
    assert!(!values(&snapshotter).keys().any(|name| name.starts_with("casty_ask_seconds")));
}
