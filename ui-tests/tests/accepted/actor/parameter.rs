//! A generic actor handles its own type parameter.

use casty::prelude::*;

#[message]
struct Parcel(u64);

struct Store<T>(Vec<T>);

#[actor]
impl<T: Message> Store<T> {
    #[handler]
    fn keep(&mut self, thing: T) -> usize {
        self.0.push(thing);
        self.0.len()
    }
}

#[tokio::test]
async fn handlers_take_what_they_ask_for() -> Result<(), BoxError> {
    let system = ActorSystem::new("stores");
    let store = system.spawn(Store(vec![])).await?;
    assert_eq!(store.keep(Parcel(1)).await?, 1);
    assert_eq!(store.ask(Parcel(2)).await?, 2);
    Ok(())
}
