//! Things kept for reuse, per thread and type: what makes a steady load allocate nothing.

use std::any::{Any, TypeId};
use std::cell::RefCell;

use crate::base::StableMap;

/// How many pools a thread has at most. Past it all are let go, so that types and systems long gone cost nothing.
const POOLS_MAX: usize = 256;

/// Takes a `T` out of this thread's pool number `key`.
#[inline]
pub(crate) fn take<T: 'static>(key: u64) -> Option<T> {
    let id = (TypeId::of::<T>(), key);
    POOLS.try_with(|pools| pools.try_borrow_mut().ok()?.get_mut(&id)?.downcast_mut::<Vec<T>>()?.pop()).ok()?
}

/// Keeps `thing` in this thread's pool number `key`, or hands it back if `max` are kept.
#[inline]
pub(crate) fn give<T: 'static>(key: u64, max: usize, thing: T) -> Option<T> {
    let mut thing = Some(thing);
    let _ = POOLS.try_with(|pools| {
        let Ok(mut pools) = pools.try_borrow_mut() else { return };
        let id = (TypeId::of::<T>(), key);
        let pool = match pools.get_mut(&id) {
            Some(pool) => pool,
            None => {
                if pools.len() >= POOLS_MAX {
                    pools.clear();
                }
                pools.entry(id).or_insert_with(|| Box::new(Vec::<T>::new()))
            }
        };
        if let Some(pool) = pool.downcast_mut::<Vec<T>>()
            && pool.len() < max
        {
            pool.extend(thing.take());
        }
    });
    thing
}

type Pools = StableMap<(TypeId, u64), Box<dyn Any>>;

thread_local! {
    static POOLS: RefCell<Pools> = RefCell::new(Pools::default());
}
