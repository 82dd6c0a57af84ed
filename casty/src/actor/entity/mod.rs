//! An actor whose effects are captured instead of released: the cell of an entity.
//!
//! The cell runs handlers as a local cell does, but hands what each did (state, reply, held sends) to a [`Journal`],
//! which decides when the world may see it. Its state may be ahead of what is committed; nothing that shows it leaves
//! before.

mod keep;
mod life;
mod progress;

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;

pub use self::keep::{Fields, Keep, Nothing};
use self::life::{Item, Life};
use self::progress::Progress;
use super::mailbox::{Mailbox, Overflow, Refused};
use super::scope::Held;
use super::{Access, ActorSystem, Env, Failure, FromId, Layout, Registered, Route};
use crate::actor::registration::Origin;
use crate::actor::reply::{ReplySink, SinkReply};
use crate::base::{BoxError, EntityId, RequestId};
use crate::codec::DecodeError;

/// The most messages that wait for one entity. The windows of the callers keep it far below.
const ENTITY_MAILBOX_CAPACITY: usize = 65_536;

/// The most that one handler may leave behind, state and reply together, in bytes. It becomes one record of a log.
const EFFECT_BYTES_MAX: usize = (3 << 20) - 4096;

/// An actor type that can run as an entity.
pub trait EntityType: Send + Sync {
    /// What of it is state; `None` if nothing is.
    fn layout(&self) -> Option<&'static Layout>;

    /// Starts a cell. Its `on_start` runs there; this fails only if the state cannot be read.
    fn activate(&self, birth: Birth) -> Result<Arc<dyn EntityCell>, BoxError>;
}

/// What a cell begins with.
pub struct Birth {
    /// The entity.
    pub id: EntityId,
    /// How many records of it are committed.
    pub version: u64,
    /// Its persistent fields, [encoded](crate::actor::state::save); `None` if no record ever changed them.
    pub state: Option<Bytes>,
    /// The events that happened to it since, those of one record together.
    pub events: Vec<Bytes>,
    /// Where its effects go.
    pub journal: Arc<dyn Journal>,
    /// The way to itself.
    pub route: Arc<dyn Route>,
    /// The system of its node.
    pub system: ActorSystem,
}

/// A live instance of an entity.
pub trait EntityCell: Send + Sync {
    /// Puts a message into its mailbox. Where nothing can be written, only one that a `&self` handler takes.
    fn deliver(&self, request: RequestId, tag: u32, body: &[u8], writable: bool) -> Result<(), Undelivered>;

    /// Its records up to `version` are committed.
    fn committed(&self, version: u64);

    /// The sends of its handlers have left, up to the `parcels`-th handler that sent anything.
    fn released(&self, parcels: u64);

    /// Whether its records up to `version` are committed, and the first `parcels` sends have left, as it was told.
    fn has_come_to(&self, version: u64, parcels: u64) -> bool;

    /// Asks it to end, after all that was delivered. It tells the journal that it is [gone](What::Gone), or that it
    /// [stays](What::Stays) since it has something to do of its own.
    fn passivate(&self);

    /// Stops it: the handler that runs is cancelled at its next await, and what it does counts for nothing.
    fn stop(&self);
}

/// Why a message did not get into an entity's mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// The bytes are no message of the actor.
    Malformed(DecodeError),
    /// The user's `Deserialize` panicked.
    Panicked(String),
    /// It may change state, and nothing can be written.
    ReadOnly,
    /// The mailbox is full.
    Full,
    /// The cell has stopped.
    Stopped,
}

/// Where the effects of a cell go, in the order in which its handlers ended.
pub trait Journal: Send + Sync + 'static {
    /// A handler has ended.
    fn record(&self, effect: Effect);
}

/// What a handler did.
pub struct Effect {
    /// The request that it handled; `None` for `on_start`.
    pub request: Option<RequestId>,
    /// What it did.
    pub what: What,
    /// What it sent.
    pub held: Vec<Held>,
}

/// The kinds of [`Effect`].
#[derive(Debug, PartialEq, Eq)]
pub enum What {
    /// A `&mut self` handler, or `on_start`, or one that panicked: a record.
    Write {
        /// The version of the entity after it.
        version: u64,
        /// The persistent fields that changed, or what happened to them, encoded.
        change: Option<Vec<u8>>,
        /// The answer.
        reply: SinkReply,
    },
    /// A `&self` handler: no record.
    Read {
        /// The answer.
        reply: SinkReply,
    },
    /// The message was not handled; nothing happened.
    Refused {
        /// Why.
        reason: String,
    },
    /// The cell has ended, by itself or since it was [asked to](EntityCell::passivate). It takes no more messages.
    Gone,
    /// The cell was asked to end, and does not: a timer of it runs, or a future, or what it did has not left yet.
    Stays,
}

/// [`EntityType`] of the actor `A`, of which `K` is kept.
pub struct Of<A, K>(PhantomData<fn() -> (A, K)>);

impl<A, K> Of<A, K> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

impl<A: Registered + FromId, K: Keep<A>> EntityType for Of<A, K> {
    fn layout(&self) -> Option<&'static Layout> {
        K::LAYOUT
    }

    fn activate(&self, birth: Birth) -> Result<Arc<dyn EntityCell>, BoxError> {
        let cell = Arc::new(Cell {
            mailbox: Mailbox::new(ENTITY_MAILBOX_CAPACITY, Overflow::Fail),
            progress: Arc::new(Progress::new(birth.version)),
            sink: Arc::default(),
            env: Arc::clone(birth.system.env()),
        });
        let _inside = cell.env.enter();
        // `new` and `Deserialize` are the user's code.
        let life = catch_unwind(AssertUnwindSafe(|| Life::<A, K>::new(birth, cell.clone())));
        let life = life.map_err(|panic| format!("it panicked: {}", Failure::from_panic(panic).reason))??;
        tokio::spawn(life.run());
        Ok(cell)
    }
}

/// The part of a cell that is shared with the region.
struct Cell<A: Registered> {
    mailbox: Mailbox<Item<A>>,
    progress: Arc<Progress>,
    sink: Arc<CellSink>,
    env: Arc<Env>,
}

impl<A: Registered> EntityCell for Cell<A> {
    fn deliver(&self, request: RequestId, tag: u32, body: &[u8], writable: bool) -> Result<(), Undelivered> {
        let _inside = self.env.enter();
        let origin = Origin::answered_to(self.sink.clone());
        let decoded = catch_unwind(AssertUnwindSafe(|| A::decode(tag, body, origin)));
        let msg = decoded.map_err(|panic| Undelivered::Panicked(Failure::from_panic(panic).reason))?;
        let msg = msg.map_err(Undelivered::Malformed)?;
        if !writable && A::access(&msg) == Access::Write {
            return Err(Undelivered::ReadOnly);
        }
        self.mailbox.try_send(Item { request, msg }).map_err(|refused| match refused {
            Refused::Full(_) | Refused::Displaced(_) => Undelivered::Full,
            Refused::Closed(_) => Undelivered::Stopped,
        })
    }

    fn committed(&self, version: u64) {
        self.progress.commit(version);
    }

    fn released(&self, parcels: u64) {
        self.progress.release(parcels);
    }

    fn has_come_to(&self, version: u64, parcels: u64) -> bool {
        self.progress.has_come_to(version, parcels)
    }

    fn passivate(&self) {
        self.mailbox.signal();
    }

    fn stop(&self) {
        self.progress.stop();
        self.mailbox.stop();
    }
}

/// Takes the reply of the handler that runs.
#[derive(Default)]
struct CellSink(parking_lot::Mutex<Option<SinkReply>>);

impl CellSink {
    fn take(&self) -> Option<SinkReply> {
        self.0.lock().take()
    }
}

impl ReplySink for CellSink {
    fn complete(&self, reply: SinkReply) {
        *self.0.lock() = Some(reply);
    }
}
