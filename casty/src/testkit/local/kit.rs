//! Where a test of actors begins.

use std::ops::Deref;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{Probe, Stub, TestActor};
use crate::actor::{Actor, ActorRef, ActorSystem, Message, Spawn, SpawnError, inspect};

/// How long an expectation waits, unless the test says otherwise.
const WITHIN: Duration = Duration::from_secs(3);

/// A system of actors for one test. It dereferences to the [`ActorSystem`].
///
/// ```
/// # use casty::prelude::*;
/// use casty::testkit::TestKit;
///
/// #[message]
/// #[derive(Debug, PartialEq)]
/// struct Alarm { degrees: i64 }
///
/// /// Sounds an alarm when it gets too hot.
/// struct Thermometer { highest: i64, alarms: Recipient<Alarm> }
///
/// #[actor(local)]
/// impl Thermometer {
///     #[message]
///     async fn measure(&mut self, degrees: i64) {
///         self.highest = self.highest.max(degrees);
///         if degrees > 90 {
///             drop(self.alarms.send(Alarm { degrees }).await);
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// let kit = TestKit::new("test");
/// let mut alarms = kit.probe::<Alarm>().await?;
/// let thermometer = kit.spawn_test(Thermometer { highest: 0, alarms: alarms.recipient() }).await?;
/// for degrees in [20, 95, 30] {
///     thermometer.measure(degrees).await?;
/// }
/// assert_eq!(alarms.expect().await?, Alarm { degrees: 95 });
/// assert_eq!(alarms.waiting(), 0);
/// assert_eq!(thermometer.look(|thermometer| thermometer.highest).await?, 95);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TestKit {
    system: ActorSystem,
    within: Duration,
}

impl TestKit {
    /// A kit with a system of its own. Expectations wait 3 seconds.
    pub fn new(system: impl Into<String>) -> Self {
        Self::with(ActorSystem::new(system))
    }

    /// A kit for this system: that of a [`Node`](crate::Node), or one with settings of its own.
    pub const fn with(system: ActorSystem) -> Self {
        Self { system, within: WITHIN }
    }

    /// How long expectations wait that are made of this kit from now on.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// A probe for messages of type `M`.
    pub async fn probe<M: Message>(&self) -> Result<Probe<M>, SpawnError> {
        self.stub().await.map(Probe::new)
    }

    /// A probe that is asked, and replies with what the test says.
    pub async fn ask_probe<M: Message, R: Send + 'static>(&self) -> Result<Probe<M, R>, SpawnError> {
        self.stub().await.map(Probe::new)
    }

    /// The test in place of an actor of type `A`.
    pub async fn stub<A: Actor>(&self) -> Result<Stub<A>, SpawnError> {
        self.stand_in(|spawn| spawn).await
    }

    /// The test in place of the actor of type `A` that others look up by this name.
    pub async fn named_stub<A: Actor>(&self, name: impl Into<String>) -> Result<Stub<A>, SpawnError> {
        self.stand_in(|spawn| spawn.named(name)).await
    }

    /// The test in place of the actor that others find by its type.
    pub async fn unique_stub<A: Actor>(&self) -> Result<Stub<A>, SpawnError> {
        self.stand_in(Spawn::unique).await
    }

    async fn stand_in<A: Actor>(&self, with: impl FnOnce(Spawn<A>) -> Spawn<A>) -> Result<Stub<A>, SpawnError> {
        let (sender, inbox) = mpsc::unbounded_channel();
        Ok(Stub::new(with(inspect::stand_in(&self.system, sender)).await?, inbox, self.within))
    }

    /// Spawns an actor whose state the test sees. For one that is spawned in another way there is
    /// [`observe`](Self::observe).
    pub async fn spawn_test<A: Actor>(&self, actor: A) -> Result<TestActor<A>, SpawnError> {
        Ok(self.observe(self.system.spawn(actor).await?))
    }

    /// Has the test see the state of an actor of this node.
    pub fn observe<A: Actor>(&self, actor: ActorRef<A>) -> TestActor<A> {
        TestActor::new(actor, self.within)
    }
}

impl Deref for TestKit {
    type Target = ActorSystem;

    fn deref(&self) -> &ActorSystem {
        &self.system
    }
}
