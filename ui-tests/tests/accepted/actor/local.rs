//! An actor and messages that never leave their node: no serde, no names, any type that is `Send`.

use std::sync::mpsc::Sender;
use std::thread::ThreadId;

use casty::prelude::*;

#[message(local)]
pub struct Observe<T>(Sender<T>);

#[message(local)]
pub struct Each<F>
where
    F: Fn(u64),
{
    f: F,
}

type Callback = Box<dyn Fn(u64) + Send>;

struct Cache {
    observers: Vec<Sender<u64>>,
}

#[actor(local)]
impl Cache {
    #[handler]
    fn observe(&mut self, msg: Observe<u64>) {
        self.observers.push(msg.0);
    }

    #[handler]
    fn each(&self, msg: Each<Callback>) {
        (msg.f)(7);
    }

    #[message]
    fn put(&mut self, value: u64, done: Callback) -> ThreadId {
        for observer in &self.observers {
            observer.send(value).expect("it listens");
        }
        done(value);
        std::thread::current().id()
    }
}

struct Stack<T>(Vec<T>);

#[message(local)]
struct Push<T>(T);

#[actor]
impl<T: Send + 'static> Stack<T> {
    #[handler]
    fn push(&mut self, Push(value): Push<T>) -> usize {
        self.0.push(value);
        self.0.len()
    }
}

#[tokio::test]
async fn a_local_actor_is_used() -> Result<(), BoxError> {
    let system = ActorSystem::new("local");
    let cache = system.spawn(Cache { observers: vec![] }).named("cache").await?;
    let (observer, seen) = std::sync::mpsc::channel();
    cache.observe(Observe(observer.clone())).await?;
    let tell: Callback = Box::new(move |value| observer.send(value).expect("it listens"));
    assert_eq!(cache.put(3, tell).await?, std::thread::current().id());
    let (observer, each) = std::sync::mpsc::channel();
    let f: Callback = Box::new(move |value| observer.send(value).expect("it listens"));
    cache.ask(Each { f }).await?;
    assert_eq!((seen.recv()?, seen.recv()?, each.recv()?), (3, 3, 7));
    let stack = system.spawn(Stack(vec![])).named("stack").await?;
    assert_eq!(stack.push(Push(std::rc::Weak::<u8>::new().upgrade().is_none())).await?, 1);
    system.shutdown().await;
    Ok(())
}
