//! Locks. Nothing of the user's runs under them, so none is left locked or half changed by a panic; and they are small,
//! since every actor has some.

pub(crate) use parking_lot::{Mutex, MutexGuard};

/// Locks `mutex`.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}
