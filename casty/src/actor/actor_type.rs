//! What all living actors of one type in one system share.

use std::any::TypeId;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::Actor;
use super::meters::Meters;
use super::system::Shared;
use crate::base::StableMap;

/// What all living actors of one type in one system share: the system, and what is counted of them.
pub(super) struct ActorType {
    pub(super) shared: Arc<Shared>,
    pub(super) meters: Meters,
}

/// The types of which actors live, or lived. It is as large as the program has types of actors.
#[derive(Default)]
pub(super) struct ActorTypes(RwLock<StableMap<TypeId, Weak<ActorType>>>);

impl ActorType {
    /// The one of `A`, made if no `A` lives.
    pub(super) fn of<A: Actor>(shared: &Arc<Shared>) -> Arc<Self> {
        let (types, id) = (&shared.types().0, TypeId::of::<A>());
        let known = types.read().unwrap_or_else(PoisonError::into_inner).get(&id).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let mut types = types.write().unwrap_or_else(PoisonError::into_inner);
            let entry = types.entry(id).or_default();
            entry.upgrade().unwrap_or_else(|| {
                let new = Self { shared: Arc::clone(shared), meters: Meters::new(shared.env().system(), A::NAME) };
                let new = Arc::new(new);
                *entry = Arc::downgrade(&new);
                new
            })
        })
    }
}
