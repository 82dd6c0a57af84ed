//! A generic actor works on its own node.

use casty::prelude::*;

#[message]
struct Len;

#[message]
struct Push(String);

struct Store<T> {
    items: Vec<T>,
}

#[actor]
impl<T> Store<T>
where
    T: From<String> + Clone + Send + 'static,
{
    #[handler]
    fn len(&self, _: Len) -> usize {
        self.items.len()
    }

    #[handler]
    fn push(&mut self, msg: Push) -> Option<T> {
        self.items.push(msg.0.into());
        self.items.last().cloned()
    }
}

#[tokio::test]
async fn a_generic_actor_is_used() -> Result<(), BoxError> {
    let system = ActorSystem::new("stores");
    let store = system.spawn(Store::<Box<str>> { items: vec![] }).await?;
    assert_eq!(store.push(Push("a".into())).await?.as_deref(), Some("a"));
    assert_eq!(store.len(Len).await?, 1);
    system.shutdown().await;
    Ok(())
}
