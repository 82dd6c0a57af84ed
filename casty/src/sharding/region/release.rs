//! Lets sends go once the change that caused them is committed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::actor::scope::Held;
use crate::actor::{ActorSystem, DeadReason, Env};

/// The most sends of one region that wait for room at their targets. What comes beyond goes to dead letters.
const RELEASED_MAX: usize = 65_536;

/// How long one send may wait for room at its target before the next is let go.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Performs held sends one after the other, in the order of their commits.
pub(super) struct Releaser {
    queue: mpsc::Sender<Held>,
    env: Arc<Env>,
}

impl Releaser {
    /// Starts the task that sends. It ends when the releaser is dropped.
    pub(super) fn start(system: &ActorSystem) -> Self {
        let (queue, mut held) = mpsc::channel::<Held>(RELEASED_MAX);
        let env = system.env().clone();
        let letters = env.clone();
        tokio::spawn(async move {
            while let Some(send) = held.recv().await {
                if tokio::time::timeout(RELEASE_TIMEOUT, send()).await.is_err() {
                    lost(&letters, DeadReason::Unavailable);
                }
            }
        });
        Self { queue, env }
    }

    /// Lets sends go.
    pub(super) fn release(&self, held: Vec<Held>) {
        for send in held {
            if self.queue.try_send(send).is_err() {
                lost(&self.env, DeadReason::NoRoom);
            }
        }
    }
}

fn lost(env: &Env, reason: DeadReason) {
    env.dead_letters().record(reason, "a message that an entity sent", || "the target of an entity's send".to_owned());
}
