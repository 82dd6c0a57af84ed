//! Which actors of a system live, and what they are called.

use std::any::TypeId;
use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::cell::AnyCell;
use crate::base::{StableHasher, StableMap};

/// Into how many parts the actors are split, so that spawning on many threads does not queue at one lock.
const PARTS: usize = 16;

/// The living actors of one system. It is as large as they are many.
#[derive(Default)]
pub(super) struct Directory {
    parts: [Mutex<Part>; PARTS],
    claims: Mutex<Claims>,
    /// The number of the first actor.
    first: u64,
    next: AtomicU64,
    /// An [`Admission`].
    admission: AtomicU8,
}

/// What one living actor has, and no other.
#[derive(Default)]
struct Claims {
    names: StableMap<Arc<str>, Arc<dyn AnyCell>>,
    types: StableMap<TypeId, Arc<dyn AnyCell>>,
}

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Everybody, as long as nobody says otherwise.
    Everybody,
    /// Actors whose parent lives. Their number is bounded by what their parents still have to do.
    Children,
    /// Nobody any more.
    Nobody,
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
    NameTaken,
    /// One is found by its type already.
    TypeTaken,
    /// The system ends.
    Closed,
}

impl Directory {
    /// One whose first actor has this number.
    pub(super) fn counting_from(first: u64) -> Self {
        Self { first, next: AtomicU64::new(first), ..Self::default() }
    }

    /// The number of the first actor.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// A number that no other actor of the system has or had.
    pub(super) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets an actor in, with what it claims for itself: its name, and its type if it is found by that.
    pub(super) fn add(&self, cell: Arc<dyn AnyCell>) -> Result<(), NotAdded> {
        let (name, unique) = (cell.name().cloned(), cell.unique());
        if name.is_none() && unique.is_none() {
            return self.add_unclaimed(cell);
        }
        let mut claims = self.claims.lock();
        if name.as_ref().is_some_and(|name| claims.names.contains_key(name)) {
            return Err(NotAdded::NameTaken);
        }
        if unique.is_some_and(|unique| claims.types.contains_key(&unique)) {
            return Err(NotAdded::TypeTaken);
        }
        self.add_unclaimed(Arc::clone(&cell))?;
        claims.names.extend(name.map(|name| (name, Arc::clone(&cell))));
        claims.types.extend(unique.map(|unique| (unique, cell)));
        Ok(())
    }

    /// An actor has stopped. What it claimed is free.
    pub(super) fn remove(&self, cell: &dyn AnyCell) {
        let (name, unique, number) = (cell.name(), cell.unique(), *cell.number());
        let mut gone = (None, None);
        if name.is_some() || unique.is_some() {
            let mut claims = self.claims.lock();
            gone.0 = name.and_then(|name| claims.names.remove(name));
            gone.1 = unique.and_then(|unique| claims.types.remove(&unique));
        }
        let removed = self.part(number).lock().take(&number);
        drop((gone, removed));
    }

    /// The actor with this name.
    pub(super) fn named(&self, name: &str) -> Option<Arc<dyn AnyCell>> {
        self.claims.lock().names.get(name).map(Arc::clone)
    }

    /// The actor that is found by this type.
    pub(super) fn unique(&self, actor: TypeId) -> Option<Arc<dyn AnyCell>> {
        self.claims.lock().types.get(&actor).map(Arc::clone)
    }

    /// The actor with this number.
    pub(super) fn numbered(&self, number: u64) -> Option<Arc<dyn AnyCell>> {
        self.part(number).lock().get(&number).map(|one| Arc::clone(&one.0))
    }

    /// Lets in so many from now on, and never more again.
    pub(super) fn admit(&self, admission: Admission) {
        self.admission.fetch_max(admission as u8, Ordering::AcqRel);
    }

    /// Every living actor. Of those who are let in no more none is missed: who is let in looks whether it may under the lock that
    /// this takes.
    pub(super) fn all(&self) -> Vec<Arc<dyn AnyCell>> {
        self.parts
            .iter()
            .flat_map(|part| part.lock().iter().map(|one| Arc::clone(&one.0)).collect::<Vec<_>>())
            .collect()
    }

    fn add_unclaimed(&self, cell: Arc<dyn AnyCell>) -> Result<(), NotAdded> {
        let least = if cell.is_child() { Admission::Children } else { Admission::Everybody };
        let mut part = self.part(*cell.number()).lock();
        if self.admission.load(Ordering::Acquire) > least as u8 {
            return Err(NotAdded::Closed);
        }
        part.insert(ByNumber(cell));
        Ok(())
    }

    fn part(&self, number: u64) -> &Mutex<Part> {
        &self.parts[(number % PARTS as u64) as usize]
    }
}
