//! A program whose state has another shape than what the cluster has is refused when it starts the entity type.

use std::sync::atomic::{AtomicBool, Ordering};

use casty::ShardingError;
use casty::actor::{EventsOf, FieldOf, Layout, OldState, Persistent, Saver, StateError, StateMismatch};
use casty::codec::{EncodeError, Shape};
use casty::prelude::*;
use casty_tests::cluster::Cluster;

/// Whether the program is the one in which the field is a text.
static OTHER_PROGRAM: AtomicBool = AtomicBool::new(false);

/// Stands for two programs that differ in a field, and not in the version.
struct Shifting {
    kept: u64,
}

fn shape() -> Shape {
    if OTHER_PROGRAM.load(Ordering::Relaxed) { Shape::of::<String>() } else { Shape::of::<u64>() }
}

impl Persistent for Shifting {
    const LAYOUT: &'static Layout =
        &Layout { fields: &[FieldOf { name: "kept", has_default: false, shape }], ..Layout::NONE };

    fn save(&self, saver: &mut Saver<'_>) -> Result<(), EncodeError> {
        saver.field("kept", &self.kept)
    }

    fn load(&mut self, state: &mut OldState) -> Result<(), StateError> {
        self.kept = state.take("kept")?;
        Ok(())
    }
}

#[actor(name = "state.Shifting")]
impl Shifting {
    fn new(_: EntityId) -> Self {
        Self { kept: 0 }
    }

    #[message]
    fn add(&mut self) -> u64 {
        self.kept += 1;
        self.kept
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_shape_of_the_same_version_is_refused_by_type_field_and_version() {
    let cluster = Cluster::start(3).await;
    let shifting = cluster.node(0).sharded::<Shifting>("shifting").start().await.unwrap();
    assert_eq!(shifting.entity("a").add().await.unwrap(), 1);
    OTHER_PROGRAM.store(true, Ordering::Relaxed);
    let error = cluster.node(1).sharded::<Shifting>("shifting").start().await.err().unwrap();
    let ShardingError::State { name, actor, why } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), actor.as_str()), ("shifting", "state.Shifting"));
    assert_eq!(why, &StateMismatch::SameVersion { field: "kept".to_owned(), version: 1 });
    assert!(error.to_string().contains("`kept`"), "{error}");
    // Nothing has changed for those who were there.
    assert_eq!(shifting.entity("a").add().await.unwrap(), 2);
    OTHER_PROGRAM.store(false, Ordering::Relaxed);
    let there = cluster.node(1).sharded::<Shifting>("shifting").start().await.unwrap();
    assert_eq!(there.entity("a").add().await.unwrap(), 3);
}

/// Stands for two programs that differ in their events, and not in the version.
struct Turning {
    kept: u64,
}

impl Persistent for Turning {
    const LAYOUT: &'static Layout = &Layout {
        fields: &[FieldOf { name: "kept", has_default: false, shape: Shape::of::<u64> }],
        events: Some(EventsOf { shape: turned, snapshot_every: 10, upcast: &[] }),
        ..Layout::NONE
    };

    fn save(&self, saver: &mut Saver<'_>) -> Result<(), EncodeError> {
        saver.field("kept", &self.kept)
    }

    fn load(&mut self, state: &mut OldState) -> Result<(), StateError> {
        self.kept = state.take("kept")?;
        Ok(())
    }
}

/// Whether the program is the one in which an event is a text.
static OTHER_EVENTS: AtomicBool = AtomicBool::new(false);

fn turned() -> Shape {
    if OTHER_EVENTS.load(Ordering::Relaxed) { Shape::of::<String>() } else { Shape::of::<u64>() }
}

#[actor(name = "state.Turning")]
impl Turning {
    fn new(_: EntityId) -> Self {
        Self { kept: 7 }
    }

    #[message]
    fn turns(&self) -> u64 {
        self.kept
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_events_of_the_same_version_are_refused_by_type_and_version() {
    let cluster = Cluster::start(3).await;
    let turning = cluster.node(0).sharded::<Turning>("turning").start().await.unwrap();
    assert_eq!(turning.entity("a").turns().await.unwrap(), 7);
    OTHER_EVENTS.store(true, Ordering::Relaxed);
    let error = cluster.node(0).sharded::<Turning>("turning").start().await.err().unwrap();
    let ShardingError::State { actor, why, .. } = &error else { panic!("{error}") };
    assert_eq!((actor.as_str(), why), ("state.Turning", &StateMismatch::SameVersionEvents { version: 1 }));
}
