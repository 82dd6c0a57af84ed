//! An actor whose effects are captured instead of released: the cell of an entity.
//!
//! The cell runs handlers as a local cell does, but hands what each did (state, reply, held sends) to a [`Journal`],
//! which decides when the world may see it.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{FromId, Persistent, Registered};
use crate::base::EntityId;

/// An actor type that can run as an entity.
pub trait EntityType: Sync + Send {
    /// The wire name of the actor.
    fn name(&self) -> &'static str;
}

/// [`EntityType`] of the actor `A`.
pub struct Of<A>(PhantomData<fn() -> A>);

impl<A> Of<A> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

impl<A: Registered + Persistent + FromId> EntityType for Of<A> {
    fn name(&self) -> &'static str {
        A::NAME
    }
}

/// Where the effects of an entity go.
pub trait Journal: Send + Sync + 'static {
    /// Placeholder.
    fn record(&self, _entity: &EntityId) {}
}

/// A shared journal.
pub type SharedJournal = Arc<dyn Journal>;
