//! Emptied buffers, kept per thread: an idle actor holds none of its bursts', and a burst allocates nothing in the long run.

use std::task::Waker;

use crate::actor::recycle;

/// Buffers of at most this many messages stay with an idle actor, so that short bursts move no buffers between threads: a
/// sender takes them from its own, and the actor leaves them with its own.
const SMALL: usize = 4;
/// The next size.
const LARGE: usize = 16;
/// How many buffers of a kind a thread keeps.
const KEPT_MAX: usize = 16;

const SMALL_POOL: u64 = 0;
const LARGE_POOL: u64 = 1;

pub(super) fn is_large<T>(buffer: &Vec<T>) -> bool {
    buffer.capacity() > SMALL
}

/// Keeps an emptied buffer for reuse.
#[cold]
pub(super) fn keep<T: 'static>(buffer: Vec<T>) {
    let pool = if is_large(&buffer) { LARGE_POOL } else { SMALL_POOL };
    drop(recycle::give(pool, KEPT_MAX, buffer));
}

/// Makes room for at least one more message.
#[cold]
pub(super) fn grow<T: 'static>(items: &mut Vec<T>) {
    let pool = if items.capacity() >= SMALL { LARGE_POOL } else { SMALL_POOL };
    while let Some(mut buffer) = recycle::take::<Vec<T>>(pool) {
        if buffer.capacity() > items.capacity() {
            buffer.append(items);
            let old = std::mem::replace(items, buffer);
            if old.capacity() > 0 {
                keep(old);
            }
            return;
        }
    }
    let more = match items.capacity() {
        0 => SMALL,
        capacity => (capacity * 3).max(LARGE - SMALL),
    };
    items.reserve_exact(more);
}

/// A buffer for wakers.
pub(super) fn wakers() -> Vec<Waker> {
    recycle::take(LARGE_POOL).unwrap_or_default()
}

/// Keeps a buffer of wakers for reuse.
pub(super) fn keep_wakers(buffer: Vec<Waker>) {
    drop(recycle::give(LARGE_POOL, 1, buffer));
}
