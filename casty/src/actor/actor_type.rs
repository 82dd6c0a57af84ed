//! What all living actors of one type in one system share.

use std::any::TypeId;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::Actor;
use super::meters::Meters;
use super::system::Shared;
use crate::base::StableMap;

/// What all living actors of one type in one system share: the system, and what is counted of them.
pub(super) struct ActorType {
    pub(super) shared: Arc<Shared>,
    pub(super) meters: Arc<Meters>,
}

/// The types of which actors live, or lived. It is as large as the program has types of actors.
#[derive(Default)]
pub(super) struct ActorTypes(Mutex<StableMap<TypeId, Known>>);

struct Known {
    meters: Arc<Meters>,
    /// The actors hold it, and it the system.
    living: Weak<ActorType>,
}

impl ActorType {
    /// The one of `A`, made if no `A` lives.
    pub(super) fn of<A: Actor>(shared: &Arc<Shared>) -> Arc<Self> {
        let (types, id) = (&shared.types().0, TypeId::of::<A>());
        let known = types.lock().get(&id).map(|known| (known.living.upgrade(), Arc::clone(&known.meters)));
        let meters = match known {
            Some((Some(living), _)) => return living,
            Some((None, meters)) => meters,
            // The recorder of the user's runs there.
            None => Arc::new(Meters::new(shared.env().system(), A::NAME)),
        };
        let new = Arc::new(Self { shared: Arc::clone(shared), meters: Arc::clone(&meters) });
        let mut types = types.lock();
        let known = types.entry(id).or_insert_with(|| Known { meters, living: Weak::new() });
        // Another may have been faster.
        known.living.upgrade().unwrap_or_else(|| {
            known.living = Arc::downgrade(&new);
            new
        })
    }
}
