//! The singletons under test.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use casty::prelude::*;

/// How often each singleton was started in this process.
static STARTS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

fn starts_by_name() -> MutexGuard<'static, BTreeMap<String, u64>> {
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often the singleton of this name was started.
pub(crate) fn starts(name: &str) -> u64 {
    starts_by_name().get(name).copied().unwrap_or_default()
}

#[message]
pub(crate) struct Next;

/// Gives numbers, none twice.
#[persistent(last)]
pub(crate) struct Clerk {
    id: EntityId,
    last: u64,
}

#[actor(name = "singletons.Clerk")]
impl Clerk {
    fn new(id: EntityId) -> Self {
        Self { id, last: 0 }
    }

    #[handler]
    fn next(&mut self, _: Next) -> u64 {
        self.last += 1;
        self.last
    }

    fn on_start(&mut self) -> Result<(), BoxError> {
        *starts_by_name().entry(self.id.to_string()).or_default() += 1;
        Ok(())
    }
}

/// Counts from its start on: it has no state that is kept.
pub(crate) struct Visitor {
    id: EntityId,
    seen: u64,
}

#[actor(name = "singletons.Visitor")]
impl Visitor {
    fn new(id: EntityId) -> Self {
        Self { id, seen: 0 }
    }

    #[handler]
    fn next(&mut self, _: Next) -> u64 {
        self.seen += 1;
        self.seen
    }

    fn on_start(&mut self) -> Result<(), BoxError> {
        *starts_by_name().entry(self.id.to_string()).or_default() += 1;
        Ok(())
    }
}
