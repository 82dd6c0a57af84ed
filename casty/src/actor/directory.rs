//! Which actors of a system live, and what they are called.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::cell::AnyCell;
use super::lock::lock;
use crate::base::{StableHasher, StableMap};

/// Into how many parts the actors are split, so that spawning on many threads does not queue at one lock.
const PARTS: usize = 16;

/// The living actors of one system. It is as large as they are many.
#[derive(Default)]
pub(super) struct Directory {
    parts: [Mutex<Part>; PARTS],
    names: Mutex<StableMap<Arc<str>, Arc<dyn AnyCell>>>,
    next: AtomicU64,
    living: AtomicUsize,
    /// Told when the last actor has stopped.
    empty: Notify,
    closed: AtomicBool,
}

/// The cells by their numbers: a set of cells takes less than a map of them by number.
type Part = HashSet<ByNumber, BuildHasherDefault<StableHasher>>;

/// A cell that stands for its number.
struct ByNumber(Arc<dyn AnyCell>);

impl Borrow<u64> for ByNumber {
    fn borrow(&self) -> &u64 {
        self.0.number()
    }
}

impl Hash for ByNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.number().hash(state);
    }
}

impl PartialEq for ByNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.number() == other.0.number()
    }
}

impl Eq for ByNumber {}

/// Why an actor was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdded {
    /// The name is taken.
    Taken,
    /// The directory is closed.
    Closed,
}

impl Directory {
    /// A number that no other actor of the system has or had.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets an actor in, under its name if it has one.
    pub(super) fn add(&self, cell: Arc<dyn AnyCell>, name: Option<&Arc<str>>) -> Result<(), NotAdded> {
        let Some(name) = name else { return self.add_unnamed(cell) };
        let mut names = lock(&self.names);
        let Entry::Vacant(vacant) = names.entry(Arc::clone(name)) else { return Err(NotAdded::Taken) };
        self.add_unnamed(Arc::clone(&cell))?;
        vacant.insert(cell);
        Ok(())
    }

    /// An actor has stopped. Its name is free.
    pub(super) fn remove(&self, number: u64, name: Option<&Arc<str>>) {
        let mut gone = None;
        if let Some(name) = name
            && let Entry::Occupied(entry) = lock(&self.names).entry(Arc::clone(name))
            && *entry.get().number() == number
        {
            gone = Some(entry.remove());
        }
        let removed = lock(self.part(number)).take(&number);
        if removed.is_some() && self.living.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.empty.notify_waiters();
        }
        drop((gone, removed));
    }

    /// The actor with this name.
    pub(super) fn named(&self, name: &str) -> Option<Arc<dyn AnyCell>> {
        lock(&self.names).get(name).map(Arc::clone)
    }

    /// The actor with this number.
    pub(super) fn numbered(&self, number: u64) -> Option<Arc<dyn AnyCell>> {
        lock(self.part(number)).get(&number).map(|one| Arc::clone(&one.0))
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Every living actor. After [`close`](Self::close) nobody is missed: who is let in looks whether it is closed under
    /// the lock that this takes.
    pub(super) fn all(&self) -> Vec<Arc<dyn AnyCell>> {
        self.parts.iter().flat_map(|part| lock(part).iter().map(|one| Arc::clone(&one.0)).collect::<Vec<_>>()).collect()
    }

    /// Waits until no actor lives.
    pub(super) async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            if self.living.load(Ordering::Acquire) == 0 {
                return;
            }
            empty.await;
        }
    }

    fn add_unnamed(&self, cell: Arc<dyn AnyCell>) -> Result<(), NotAdded> {
        let number = *cell.number();
        let mut part = lock(self.part(number));
        if self.closed.load(Ordering::Acquire) {
            return Err(NotAdded::Closed);
        }
        self.living.fetch_add(1, Ordering::AcqRel);
        part.insert(ByNumber(cell));
        Ok(())
    }

    fn part(&self, number: u64) -> &Mutex<Part> {
        &self.parts[(number % PARTS as u64) as usize]
    }
}
