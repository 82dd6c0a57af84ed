//! What the clients of a run saw.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use super::entries::Change;
use super::objects::{AccountInput, AccountOutput};
use crate::testkit::history::{History, Operation};
use crate::testkit::linearizability::models::{
    AppendListInput, AppendListOutput, CounterInput, RegisterInput, RegisterOutput,
};

/// The histories of many objects of one kind, by their ids.
pub(super) struct Histories<I, O> {
    by_id: Mutex<BTreeMap<String, History<I, O>>>,
    journal: Option<Arc<Tell<I, O>>>,
}

type Tell<I, O> = dyn Fn(Change<I, O>) + Send + Sync;

/// What the clients of a run saw. Clones are the same books.
#[derive(Clone, Default)]
pub struct Books {
    pub(super) inner: Arc<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) registers: Histories<RegisterInput, RegisterOutput>,
    pub(super) counters: Histories<CounterInput, u64>,
    pub(super) lists: Histories<AppendListInput, AppendListOutput>,
    pub(super) accounts: Histories<AccountInput, AccountOutput>,
    pub(super) notes: Mutex<Notes>,
}

/// What is no operation on an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Replies that belonged to another ask.
    pub strange_replies: Vec<String>,
    /// Asks that ended after their deadlines: what was asked, the time that it had, and the time that it took.
    pub late: Vec<(String, Duration, Duration)>,
}

/// The books as they can be stored, sent, and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Registers by their ids.
    pub registers: BTreeMap<String, Vec<Operation<RegisterInput, RegisterOutput>>>,
    /// Counters by their ids.
    pub counters: BTreeMap<String, Vec<Operation<CounterInput, u64>>>,
    /// Lists by their ids.
    pub lists: BTreeMap<String, Vec<Operation<AppendListInput, AppendListOutput>>>,
    /// Accounts by their ids.
    pub accounts: BTreeMap<String, Vec<Operation<AccountInput, AccountOutput>>>,
    /// The rest.
    pub notes: Notes,
}

impl Books {
    /// Empty books.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is in the books so far.
    pub fn recording(&self) -> Recording {
        let Inner { registers, counters, lists, accounts, .. } = &*self.inner;
        Recording {
            registers: registers.operations(),
            counters: counters.operations(),
            lists: lists.operations(),
            accounts: accounts.operations(),
            notes: self.notes().clone(),
        }
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.inner.notes.lock()
    }
}

impl Recording {
    /// Adds what another process has recorded.
    pub fn merge(&mut self, other: Self) {
        merge(&mut self.registers, other.registers);
        merge(&mut self.counters, other.counters);
        merge(&mut self.lists, other.lists);
        merge(&mut self.accounts, other.accounts);
        self.notes.strange_replies.extend(other.notes.strange_replies);
        self.notes.late.extend(other.notes.late);
    }
}

fn merge<I, O>(into: &mut BTreeMap<String, Vec<Operation<I, O>>>, from: BTreeMap<String, Vec<Operation<I, O>>>) {
    for (id, operations) in from {
        let all = into.entry(id).or_default();
        all.extend(operations);
        all.sort_by_key(|operation| operation.call);
    }
}

impl<I, O> Histories<I, O> {
    /// The history of one object.
    pub(super) fn of(&self, id: &str) -> History<I, O>
    where
        I: Clone + 'static,
        O: Clone + 'static,
    {
        self.by_id.lock().entry(id.to_owned()).or_insert_with(|| self.begin(id)).clone()
    }

    fn begin(&self, id: &str) -> History<I, O>
    where
        I: Clone + 'static,
        O: Clone + 'static,
    {
        let (Some(journal), object) = (self.journal.clone(), id.to_owned()) else { return History::new() };
        History::journaled(move |place, operation| {
            journal(Change { object: object.clone(), place, operation: operation.cloned() });
        })
    }

    fn operations(&self) -> BTreeMap<String, Vec<Operation<I, O>>>
    where
        I: Clone,
        O: Clone,
    {
        self.by_id.lock().iter().map(|(id, history)| (id.clone(), history.operations())).collect()
    }
}

impl<I, O> Histories<I, O> {
    pub(super) fn journaled(journal: impl Fn(Change<I, O>) + Send + Sync + 'static) -> Self {
        Self { by_id: Mutex::default(), journal: Some(Arc::new(journal)) }
    }
}

impl<I, O> Default for Histories<I, O> {
    fn default() -> Self {
        Self { by_id: Mutex::default(), journal: None }
    }
}
