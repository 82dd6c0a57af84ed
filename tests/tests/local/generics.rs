//! Actors with type parameters, which they may also handle.

use casty::prelude::*;

#[message(local)]
#[derive(Clone, Debug, PartialEq)]
struct Parcel(u64);

/// Keeps the last of whatever it is sent.
struct Shelf<T>(Option<T>);

#[actor]
impl<T: Message + Clone + std::fmt::Debug> Shelf<T> {
    #[handler]
    fn keep(&mut self, thing: T) -> Option<String> {
        self.0.replace(thing).map(|before| format!("{before:?}"))
    }
}

/// Puts what it is sent on a shelf.
struct Sorter<T: Message + Clone + std::fmt::Debug> {
    shelf: ActorRef<Shelf<T>>,
}

#[actor]
impl<T: Message + Clone + std::fmt::Debug> Sorter<T> {
    #[handler]
    async fn sort(&mut self, thing: T) -> bool {
        self.shelf.keep(thing).await.is_ok_and(|before| before.is_some())
    }
}

#[tokio::test]
async fn an_actor_handles_its_own_type_parameter() {
    let system = ActorSystem::new("test");
    let shelf = system.spawn(Shelf(None)).await.unwrap();
    let sorter = system.spawn(Sorter { shelf: shelf.clone() }).await.unwrap();
    assert_eq!(sorter.sort(Parcel(1)).await, Ok(false));
    assert_eq!(sorter.ask(Parcel(2)).await, Ok(true));
    assert_eq!(shelf.recipient::<Parcel>().send(Parcel(3)).await, Ok(()));
    assert_eq!(shelf.ask(Parcel(4)).await, Ok(Some("Parcel(3)".to_owned())));
}
