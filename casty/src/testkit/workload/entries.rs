//! The books entry by entry, for a process that may be killed: what it has written down is what is left of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::books::{Books, Histories, Inner, Recording};
use super::objects::{AccountInput, AccountOutput};
use crate::testkit::history::Operation;
use crate::testkit::linearizability::models::{
    AppendListInput, AppendListOutput, CounterInput, RegisterInput, RegisterOutput,
};

/// One change of the books of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// Of a register.
    Register(Change<RegisterInput, RegisterOutput>),
    /// Of a counter.
    Counter(Change<CounterInput, u64>),
    /// Of a list.
    List(Change<AppendListInput, AppendListOutput>),
    /// Of an account.
    Account(Change<AccountInput, AccountOutput>),
}

/// One change of the history of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<I, O> {
    /// The id of the object.
    pub object: String,
    /// The number of the operation among those of this object.
    pub place: usize,
    /// What the operation is now. `None` if it was withdrawn.
    pub operation: Option<Operation<I, O>>,
}

impl Books {
    /// Empty books whose every change is told to `journal`: of an ask before it leaves.
    pub fn journaled(journal: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        let journal = Arc::new(journal);
        let [registers, counters, lists, accounts] = [0; 4].map(|_| journal.clone());
        let inner = Inner {
            registers: Histories::journaled(move |change| registers(Entry::Register(change))),
            counters: Histories::journaled(move |change| counters(Entry::Counter(change))),
            lists: Histories::journaled(move |change| lists(Entry::List(change))),
            accounts: Histories::journaled(move |change| accounts(Entry::Account(change))),
            notes: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }
}

/// The entries of one process, in their order, as a recording. What was called and never ended is of unknown outcome.
impl FromIterator<Entry> for Recording {
    fn from_iter<T: IntoIterator<Item = Entry>>(entries: T) -> Self {
        let (mut registers, mut counters) = (Places::new(), Places::new());
        let (mut lists, mut accounts) = (Places::new(), Places::new());
        for entry in entries {
            match entry {
                Entry::Register(change) => put(&mut registers, change),
                Entry::Counter(change) => put(&mut counters, change),
                Entry::List(change) => put(&mut lists, change),
                Entry::Account(change) => put(&mut accounts, change),
            }
        }
        Self {
            registers: operations(registers),
            counters: operations(counters),
            lists: operations(lists),
            accounts: operations(accounts),
            ..Self::default()
        }
    }
}

/// What stands where, by objects.
type Places<I, O> = BTreeMap<String, BTreeMap<usize, Operation<I, O>>>;

fn put<I, O>(places: &mut Places<I, O>, change: Change<I, O>) {
    let Change { object, place, operation } = change;
    let places = places.entry(object).or_default();
    match operation {
        Some(operation) => drop(places.insert(place, operation)),
        None => drop(places.remove(&place)),
    }
}

fn operations<I, O>(places: Places<I, O>) -> BTreeMap<String, Vec<Operation<I, O>>> {
    places.into_iter().map(|(object, places)| (object, places.into_values().collect())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_written_down_is_what_the_books_say() {
        let (entries, now) = (Arc::new(Mutex::new(Vec::new())), Duration::from_millis(5));
        let journal = entries.clone();
        let books = Books::journaled(move |entry| journal.lock().push(entry));
        let counter = books.inner.counters.of("counter-1");
        let (answered, withdrawn) =
            (counter.call(1, now, CounterInput::Add(1)), counter.call(2, now, CounterInput::Read));
        drop(books.inner.lists.of("list-1").call(3, now, AppendListInput::Append(7)));
        withdrawn.withdraw();
        answered.returned(now * 2, 1);
        let written: Recording = entries.lock().drain(..).collect();
        assert_eq!(written, books.recording());
        assert_eq!((written.counters["counter-1"].len(), written.lists["list-1"].len()), (1, 1));
    }
}
