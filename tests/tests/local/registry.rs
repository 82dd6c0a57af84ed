//! Actors that are found by their type.

use casty::prelude::*;
use casty::{LookupError, SpawnError};

use crate::support::{Worker, diary, soon};

/// An actor whose type has a parameter: each is a type of its own.
struct Store<T>(Vec<T>);

#[actor]
impl<T: Send + 'static> Store<T> {
    #[message]
    fn count(&self) -> usize {
        self.0.len()
    }
}

#[tokio::test]
async fn the_only_actor_of_a_type_is_found_by_it_until_it_stops_and_a_second_is_refused() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    assert!(matches!(system.unique::<Worker>(), Err(LookupError::NotUnique { .. })));
    let worker = system.spawn(Worker::new("one", &notes)).named("one").unique().await.unwrap();
    assert_eq!(system.unique::<Worker>().unwrap().id(), worker.id());
    let refused = system.spawn(Worker::new("two", &notes)).named("two").unique().await.unwrap_err();
    assert!(matches!(&refused, SpawnError::TypeTaken { actor } if actor.ends_with("Worker")), "{refused:?}");
    // Neither its name nor anything else of it is left.
    assert!(system.lookup::<Worker>("two").is_err());
    let refused = system.spawn(Worker::new("two", &notes)).named("one").await.unwrap_err();
    assert_eq!(refused, SpawnError::NameTaken { name: "one".to_owned() });
    // One that does not claim its type is another matter.
    let _two = system.spawn(Worker::new("two", &notes)).named("two").await.unwrap();
    assert_eq!(system.unique::<Worker>().unwrap().id(), worker.id());

    worker.stop();
    soon(worker.stopped()).await;
    assert!(matches!(system.unique::<Worker>(), Err(LookupError::NotUnique { .. })));
    let again = system.spawn(Worker::new("one", &notes)).named("one").unique().await.unwrap();
    assert_eq!(system.unique::<Worker>().unwrap().id(), again.id());
}

#[tokio::test]
async fn a_name_that_is_taken_leaves_the_type_free() {
    let system = ActorSystem::new("test");
    let (notes, _read) = diary();
    let _named = system.spawn(Worker::new("one", &notes)).named("one").await.unwrap();
    assert!(system.spawn(Worker::new("two", &notes)).named("one").unique().await.is_err());
    let _unique = system.spawn(Worker::new("two", &notes)).named("two").unique().await.unwrap();
}

#[tokio::test]
async fn actors_of_different_type_parameters_are_different_types() {
    let system = ActorSystem::new("test");
    let numbers = system.spawn(Store(vec![1_u64])).unique().await.unwrap();
    let words = system.spawn(Store(vec!["one", "two"])).unique().await.unwrap();
    assert_eq!(system.unique::<Store<u64>>().unwrap().id(), numbers.id());
    assert_eq!(system.unique::<Store<&'static str>>().unwrap().count().await, Ok(2));
    drop(words);
}
