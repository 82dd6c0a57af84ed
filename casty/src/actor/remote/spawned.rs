//! Actors that another node has made here, from bytes.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Address, Untold};
use crate::actor::{Actor, ActorSystem, Failure, Registered, SpawnError};
use crate::codec::{DecodeError, decode};

/// An actor with `fn new(args: Args) -> Self`. `#[actor]` implements it, with a tuple where `new` takes several values.
pub trait MadeOf<Args>: Actor {
    /// `new`.
    fn make(args: Args) -> Self;
}

/// What an `A` can be made of on another node.
#[diagnostic::on_unimplemented(
    message = "`{A}` cannot be made of a `{Self}` on another node",
    label = "no `new` that takes this, or it cannot travel",
    note = "add `fn new(args: {Self}) -> Self` to the `#[actor] impl {A}` block; several arguments are given as a tuple, and all of them are `Serialize` and `Deserialize`"
)]
pub trait SpawnArgs<A>: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<A: Registered + MadeOf<T>, T: Serialize + DeserializeOwned> SpawnArgs<A> for T {}

/// How to make and spawn an actor of one type from bytes.
pub trait SpawnType: Send + Sync {
    /// Spawns an actor of these arguments, and says where it lives.
    fn spawn(&self, system: &ActorSystem, args: &[u8]) -> Result<Address, NotSpawnedHere>;
}

/// Why an actor was not made from bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSpawnedHere {
    /// The bytes are not its arguments.
    #[error(transparent)]
    Args(#[from] DecodeError),
    /// `new` panicked, or the decoding of its arguments.
    #[error("its `new` panicked: {0}")]
    Panicked(String),
    /// It was made, and not spawned.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It cannot be called from elsewhere.
    #[error(transparent)]
    Untold(#[from] Untold),
}

/// [`SpawnType`] of the actor `A`, made of `Args`.
pub struct SpawnOf<A, Args>(PhantomData<fn(Args) -> A>);

impl<A: Registered + MadeOf<Args>, Args: DeserializeOwned> SpawnType for SpawnOf<A, Args> {
    fn spawn(&self, system: &ActorSystem, args: &[u8]) -> Result<Address, NotSpawnedHere> {
        let inside = system.env().enter();
        let made = catch_unwind(AssertUnwindSafe(|| decode(args).map(A::make)));
        drop(inside);
        let actor = made.map_err(|panic| NotSpawnedHere::Panicked(Failure::from_panic(panic).reason))??;
        let actor = system.spawn(actor).spawn()?;
        actor.address_for_others().map_err(|untold| {
            // Nobody would ever reach it.
            actor.stop();
            untold.into()
        })
    }
}

/// Tells at compile time whether an actor can be made from bytes, as [`Probe`](crate::actor::registration::Probe) does for
/// entities.
pub struct SpawnProbe<A, Args>(PhantomData<fn(Args) -> A>);

impl<A: Registered + MadeOf<Args>, Args: DeserializeOwned + 'static> SpawnProbe<A, Args> {
    /// How to make an `A`.
    pub const SPAWN: Option<&'static dyn SpawnType> = Some(&SpawnOf::<A, Args>(PhantomData));
}

/// The other half of [`SpawnProbe`].
pub trait NotSpawned {
    /// `A` cannot be made from bytes.
    const SPAWN: Option<&'static dyn SpawnType> = None;
}

impl<A, Args> NotSpawned for SpawnProbe<A, Args> {}
