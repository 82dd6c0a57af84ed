//! Lets sends go once the change that caused them is committed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::sends::Parcel;
use crate::actor::entity::EntityCell;
use crate::actor::{ActorSystem, DeadReason, Env};

/// The most parcels of one region that wait for room at their targets. What comes beyond goes to dead letters.
const RELEASED_MAX: usize = 65_536;

/// How long one send may wait for room at its target before the next is let go.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Performs held sends one after the other, in the order in which they are let go.
pub(super) struct Releaser {
    queue: mpsc::Sender<Released>,
    env: Arc<Env>,
}

/// Sends on their way, and the cell that may wait until they have left.
struct Released {
    parcel: Parcel,
    cell: Option<Arc<dyn EntityCell>>,
}

impl Releaser {
    /// Starts the task that sends. It ends when the releaser is dropped.
    pub(super) fn start(system: &ActorSystem) -> Self {
        let (queue, mut released) = mpsc::channel::<Released>(RELEASED_MAX);
        let env = system.env().clone();
        let letters = env.clone();
        tokio::spawn(async move {
            while let Some(Released { parcel, cell }) = released.recv().await {
                for send in parcel.sends {
                    if tokio::time::timeout(RELEASE_TIMEOUT, send()).await.is_err() {
                        lost(&letters, DeadReason::Unavailable);
                    }
                }
                if let Some(cell) = cell {
                    cell.released(parcel.number);
                }
            }
        });
        Self { queue, env }
    }

    /// Lets the sends of one handler go. Its cell, if it still lives, is told when they have left.
    pub(super) fn release(&self, parcel: Parcel, cell: Option<Arc<dyn EntityCell>>) {
        if let Err(refused) = self.queue.try_send(Released { parcel, cell }) {
            let Released { parcel, cell } = refused.into_inner();
            parcel.sends.iter().for_each(|_| lost(&self.env, DeadReason::NoRoom));
            if let Some(cell) = cell {
                cell.released(parcel.number);
            }
        }
    }
}

fn lost(env: &Env, reason: DeadReason) {
    env.dead_letters().record(reason, "a message that an entity sent", || "the target of an entity's send".to_owned());
}
