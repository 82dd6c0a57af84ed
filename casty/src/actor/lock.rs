//! Locks that a panic elsewhere cannot make unusable.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. No code of the user's runs under these locks, so a poisoned one still holds what it should.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
