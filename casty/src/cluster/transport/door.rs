//! How many connections are in the handshake at one time, and which of them has to go when there are too many.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The places of those that are in the handshake.
///
/// A peer says hello as soon as it is connected. So whoever has waited the longest for it to be said is the one of whom the
/// least is to be expected, and makes room for a newer connection. Without this, as many silent connections as there are
/// places would keep all peers out until their time is over.
pub(super) struct Door {
    places: Arc<Semaphore>,
    /// Those that have not said hello, the oldest first. At most as many as there are places.
    silent: Mutex<VecDeque<Silent>>,
}

/// A connection on which no hello has come.
struct Silent {
    place: u64,
    evicted: CancellationToken,
}

/// A place in the handshake. It is free again when this is dropped.
pub(super) struct Place {
    door: Arc<Door>,
    number: u64,
    evicted: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Door {
    /// A door with so many places.
    pub(super) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { places: Arc::new(Semaphore::new(places)), silent: Mutex::default() })
    }

    /// Takes a place for connection number `number`, each higher than the one before. If there is none, the oldest silent
    /// one has to go; while none is silent, it waits. `None`: the door was closed, which it never is.
    pub(super) async fn enter(self: &Arc<Self>, number: u64) -> Option<Place> {
        let permit = match self.places.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                if let Some(oldest) = self.silent().pop_front() {
                    oldest.evicted.cancel();
                }
                self.places.clone().acquire_owned().await.ok()?
            }
        };
        let evicted = CancellationToken::new();
        self.silent().push_back(Silent { place: number, evicted: evicted.clone() });
        Some(Place { door: self.clone(), number, evicted, _permit: permit })
    }

    fn silent(&self) -> MutexGuard<'_, VecDeque<Silent>> {
        self.silent.lock()
    }
}

impl Place {
    /// Waits until the place is wanted for a newer connection.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// The hello has come: from now on the place is the connection's until it is dropped.
    pub(super) fn heard(&self) {
        self.door.silent().retain(|silent| silent.place != self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.heard();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_oldest_that_is_silent_makes_room_for_the_newest() {
        let door = Door::new(2);
        let (first, second) = (door.enter(0).await.unwrap(), door.enter(1).await.unwrap());
        first.heard();
        let third = door.enter(2);
        tokio::pin!(third);
        assert!(third.as_mut().now_or_never().is_none(), "its place is not free yet");
        assert!(second.evicted().now_or_never().is_some());
        assert!(first.evicted().now_or_never().is_none(), "it has said hello");
        drop(second);
        assert!(third.now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn those_who_said_hello_are_waited_for() {
        let door = Door::new(1);
        let first = door.enter(0).await.unwrap();
        first.heard();
        let second = door.enter(1);
        tokio::pin!(second);
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_those_that_are_gone() {
        let door = Door::new(8);
        for number in 0..100 {
            drop(door.enter(number).await.unwrap());
        }
        assert!(door.silent().is_empty());
    }
}
