//! Actors that one node has made on another.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::hub::Hub;
use super::protocol::{ARGS_BYTES_MAX, End, Word};
use crate::actor::remote::{Address, NotSpawnedHere};
use crate::actor::reply::ReplySlot;
use crate::actor::{ActorSystem, AskFailure};
use crate::base::NodeKey;
use crate::codec::{decode, encode};

/// Why an actor was not spawned on another node, as that node says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Refusal {
    /// Its program does not have the type.
    Unknown,
    /// The type has no `new` that could be called.
    NotMade,
    /// `new` panicked.
    Panicked(String),
    /// Anything else.
    Other(String),
}

/// Has `node` make and spawn an actor. `Err`: whether or not it did is in the failure.
pub(crate) async fn spawn_on(
    hub: &Arc<Hub>,
    node: NodeKey,
    actor: &str,
    args: Vec<u8>,
    within: Duration,
) -> Result<Result<Address, Refusal>, AskFailure> {
    let unavailable = |reason: String| AskFailure::Unavailable { reason };
    if args.len() > ARGS_BYTES_MAX {
        let bytes = args.len();
        return Err(unavailable(format!("its arguments take {bytes} bytes, and {ARGS_BYTES_MAX} are allowed")));
    }
    let (sender, told) = oneshot::channel();
    let slot = Arc::new(Slot(Mutex::new(Some(sender))));
    let too_many = |_| unavailable("too many asks are under way".to_owned());
    let ask = hub.asks.begin(node, slot).map_err(too_many)?;
    if !hub.links().is_linked(node) {
        hub.asks.end(ask, node);
        return Err(unavailable("there is no link to the node at the moment, or none back".to_owned()));
    }
    if let Err(failure) = hub.say(node, &Word::Spawn { ask, actor: actor.to_owned(), args }) {
        hub.asks.end(ask, node);
        return Err(unavailable(failure.to_string()));
    }
    match timeout(within, told).await {
        Ok(Ok(answer)) => {
            let unread = |error| AskFailure::Unknown { reason: format!("the answer cannot be read: {error}") };
            decode(&answer?).map_err(unread)
        }
        Ok(Err(_)) => Err(AskFailure::Unknown { reason: "the node was shut down".to_owned() }),
        Err(_) => {
            hub.asks.end(ask, node);
            Err(AskFailure::Timeout { after: within })
        }
    }
}

/// Actors that are being made at one time because other nodes asked for them. Who asks for one more is refused.
pub(super) const SPAWNS_MAX: usize = 64;

/// Makes an actor that another node asked for, and answers. It takes a task: `new` is the user's code, and does not hold up the
/// link's reader.
pub(super) fn spawn(hub: &Arc<Hub>, from: NodeKey, ask: u64, actor: String, args: Vec<u8>) {
    let Ok(permit) = hub.spawns.clone().try_acquire_owned() else {
        let why = format!("it makes {SPAWNS_MAX} actors for other nodes at this moment; try again");
        return answer(hub, from, ask, &actor, &Err(Refusal::Other(why)));
    };
    let made_for = hub.clone();
    drop(hub.spawn(async move {
        let spawned = make(made_for.system(), &actor, &args);
        answer(&made_for, from, ask, &actor, &spawned);
        drop(permit);
    }));
}

fn answer(hub: &Hub, from: NodeKey, ask: u64, actor: &str, spawned: &Result<Address, Refusal>) {
    if let Err(refusal) = spawned {
        tracing::warn!(%from, actor, ?refusal, "an actor that another node asked for was not spawned");
    }
    let end = match encode(spawned) {
        Ok(bytes) => End::Value(bytes),
        Err(error) => End::Failure(AskFailure::Unknown { reason: error.to_string() }),
    };
    hub.answer(from, ask, end);
}

/// Makes an actor, and says where it lives.
pub(super) fn make(system: &ActorSystem, actor: &str, args: &[u8]) -> Result<Address, Refusal> {
    let registry = system.registry().map_err(|error| Refusal::Other(error.to_string()))?;
    let registered = registry.get(actor).ok_or(Refusal::Unknown)?;
    let kind = registered.spawn.ok_or(Refusal::NotMade)?;
    kind.spawn(system, args).map_err(|error| match error {
        NotSpawnedHere::Panicked(reason) => Refusal::Panicked(reason),
        other => Refusal::Other(other.to_string()),
    })
}

/// Where the answer is waited for.
struct Slot(Mutex<Option<oneshot::Sender<Result<Bytes, AskFailure>>>>);

impl Slot {
    fn tell(&self, end: Result<Bytes, AskFailure>) {
        let waiting = self.0.lock().take();
        // Who asked may have left.
        waiting.into_iter().for_each(|waiting| _ = waiting.send(end.clone()));
    }
}

impl ReplySlot for Slot {
    fn complete(&self, bytes: &[u8]) {
        self.tell(Ok(Bytes::copy_from_slice(bytes)));
    }

    fn fail(&self, failure: AskFailure) {
        self.tell(Err(failure));
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn is_abandoned(&self) -> bool {
        let waiting = self.0.lock();
        waiting.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}
