//! Things kept for reuse, per thread and type: what makes a steady load allocate nothing.

use std::any::{Any, TypeId};
use std::cell::RefCell;

/// How many pools a thread has at most. Past it all are let go, so that types and systems long gone cost nothing.
const POOLS_MAX: usize = 256;

/// Takes a `T` out of this thread's pool number `key`.
#[inline]
pub(crate) fn take<T: 'static>(key: u64) -> Option<T> {
    POOLS.try_with(|pools| pools.try_borrow_mut().ok()?.find::<T>(key)?.pop()).ok()?
}

/// Keeps `thing` in this thread's pool number `key`, or hands it back if `max` are kept.
#[inline]
pub(crate) fn give<T: 'static>(key: u64, max: usize, thing: T) -> Option<T> {
    let mut thing = Some(thing);
    let _ = POOLS.try_with(|pools| {
        let Ok(mut pools) = pools.try_borrow_mut() else { return };
        if let Some(pool) = pools.find_or_make::<T>(key)
            && pool.len() < max
        {
            pool.extend(thing.take());
        }
    });
    thing
}

thread_local! {
    static POOLS: RefCell<Pools> = const { RefCell::new(Pools(Vec::new())) };
}

/// The one used last comes first: a thread mostly uses one again and again.
struct Pools(Vec<Pool>);

struct Pool {
    id: (TypeId, u64),
    /// A `Vec<T>`.
    things: Box<dyn Any>,
}

impl Pools {
    #[inline]
    fn find<T: 'static>(&mut self, key: u64) -> Option<&mut Vec<T>> {
        let id = (TypeId::of::<T>(), key);
        if self.0.first()?.id != id {
            self.bring_forward(id)?;
        }
        self.0.first_mut()?.things.downcast_mut()
    }

    #[inline]
    fn find_or_make<T: 'static>(&mut self, key: u64) -> Option<&mut Vec<T>> {
        if self.find::<T>(key).is_none() {
            self.make::<T>(key);
        }
        self.find(key)
    }

    /// Has it change places with the first.
    #[cold]
    fn bring_forward(&mut self, id: (TypeId, u64)) -> Option<()> {
        let at = self.0.iter().position(|pool| pool.id == id)?;
        self.0.swap(0, at);
        Some(())
    }

    #[cold]
    fn make<T: 'static>(&mut self, key: u64) {
        if self.0.len() >= POOLS_MAX {
            self.0.clear();
        }
        self.0.insert(0, Pool { id: (TypeId::of::<T>(), key), things: Box::new(Vec::<T>::new()) });
    }
}
