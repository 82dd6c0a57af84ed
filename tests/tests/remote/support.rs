//! The actors under test, and how a reference gets to another node.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use casty::actor::remote::Addressed;
use casty::prelude::*;
use casty::{Overflow, Terminated};
use casty_tests::cluster::{Cluster, DEADLINE};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// A reference of one node, as another has it.
pub(crate) fn carried<A: Addressed>(cluster: &Cluster, from: usize, to: usize, actor: &ActorRef<A>) -> ActorRef<A> {
    let address = cluster.node(from).export(actor).unwrap();
    cluster.node(to).import(&address).unwrap()
}

/// An `Echo` on node 0, and the reference that node 1 has to it.
pub(crate) async fn echo(cluster: &Cluster) -> (ActorRef<Echo>, ActorRef<Echo>) {
    let near = cluster.node(0).spawn(Echo::default()).await.unwrap();
    let far = carried(cluster, 0, 1, &near);
    (near, far)
}

/// Waits until asks reach the actor, as they do when there is a link.
pub(crate) async fn reached(echo: &ActorRef<Echo>) {
    let asking = async {
        while echo.half(2).await != Ok(1) {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, asking).await.unwrap();
}

/// An actor that does a little of everything.
#[derive(Default)]
pub(crate) struct Echo {
    /// What was noted, in order.
    pub(crate) noted: Vec<u64>,
    /// One permit lets one `wait` go.
    pub(crate) gate: Gate,
}

/// Where a handler waits until a test lets it go on.
#[derive(Clone)]
pub(crate) struct Gate(Arc<(Semaphore, AtomicUsize)>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new((Semaphore::new(0), AtomicUsize::new(0))))
    }
}

impl Gate {
    /// Lets so many handlers go on.
    pub(crate) fn open(&self, handlers: usize) {
        self.0.0.add_permits(handlers);
    }

    /// How many handlers have come to it.
    pub(crate) fn entered(&self) -> usize {
        self.0.1.load(Ordering::Acquire)
    }

    async fn pass(&self) {
        self.0.1.fetch_add(1, Ordering::AcqRel);
        if let Ok(permit) = self.0.0.acquire().await {
            permit.forget();
        }
    }
}

#[message]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is odd")]
pub(crate) struct Odd(pub(crate) u64);

#[message]
pub(crate) struct Note(pub(crate) u64);

#[actor]
impl Echo {
    #[message]
    fn say(&mut self, text: String) -> String {
        text
    }

    #[message]
    fn half(&mut self, of: u64) -> Result<u64, Odd> {
        if of.is_multiple_of(2) { Ok(of / 2) } else { Err(Odd(of)) }
    }

    #[message]
    fn explode(&mut self) {
        explode();
    }

    #[handler]
    fn note(&mut self, Note(n): Note) {
        self.noted.push(n);
    }

    #[message]
    fn noted(&self) -> Vec<u64> {
        self.noted.clone()
    }

    /// Answers with what it was told when the gate lets it.
    #[message]
    async fn wait(&mut self, n: u64) -> u64 {
        self.gate.pass().await;
        n
    }

    /// The reference that it was given, and itself.
    #[message]
    fn pass(&mut self, other: ActorRef<Echo>, ctx: &mut Ctx<Self>) -> (ActorRef<Echo>, ActorRef<Echo>) {
        (other, ctx.myself())
    }

    /// Notes something at somebody else.
    #[message]
    async fn tell(&mut self, whom: Recipient<Note>, n: u64) -> bool {
        whom.send(Note(n)).await.is_ok()
    }

    /// Has whoever sent this note something.
    #[message]
    async fn who(&mut self, ctx: &mut Ctx<Self>) -> bool {
        match ctx.sender::<Echo>() {
            Some(sender) => sender.note(Note(7)).send().await.is_ok(),
            None => false,
        }
    }
}

fn explode() {
    panic!("it explodes");
}

/// Writes down the ends that it is told of.
pub(crate) struct Watcher(pub(crate) Arc<Mutex<Vec<Terminated>>>);

#[actor]
impl Watcher {
    #[message]
    fn watch(&mut self, whom: ActorRef<Echo>, ctx: &mut Ctx<Self>) {
        ctx.watch(&whom).unwrap();
    }

    fn on_terminated(&mut self, terminated: Terminated) {
        self.0.lock().unwrap().push(terminated);
    }
}

/// An `Echo` whose mailbox holds one message and refuses more.
pub(crate) async fn narrow(cluster: &Cluster) -> (Gate, ActorRef<Echo>) {
    let gate = Gate::default();
    let echo = Echo { gate: gate.clone(), ..Echo::default() };
    let near = cluster.node(0).spawn(echo).mailbox(1).overflow(Overflow::Fail).await.unwrap();
    (gate, carried(cluster, 0, 1, &near))
}

/// An `Echo` with a gate.
pub(crate) async fn gated(cluster: &Cluster) -> (Gate, ActorRef<Echo>, ActorRef<Echo>) {
    let gate = Gate::default();
    let near = cluster.node(0).spawn(Echo { gate: gate.clone(), ..Echo::default() }).await.unwrap();
    let far = carried(cluster, 0, 1, &near);
    (gate, near, far)
}
