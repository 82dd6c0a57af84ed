//! A store outside of the cluster, as a region uses it: what fails is tried again for a while, and what is unknown is found out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};

use crate::base::{Backoff, ThreadRng};
use crate::replication::OutsideRow;
use crate::storage::{EntityKey, EntityStore, EntityStoreError};

/// How long a store that fails, or does not answer, is tried again before the requests that need it fail.
const PATIENCE: Duration = Duration::from_secs(3);

/// The shortest and the longest time between two attempts.
const RETRIES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(500));

/// A store, and the name under which the cluster knows it.
#[derive(Clone, Debug)]
pub(crate) struct OutsideStore {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<dyn EntityStore>,
}

/// What was loaded: the revision, and the row.
pub(crate) type Loaded = (u64, OutsideRow);

/// Why a row was not saved.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSaved {
    /// Somebody else has saved the entity.
    Conflict,
    /// It is certain that it was not, and will not be.
    Unavailable(String),
    /// It may have been saved, or may be yet.
    Unknown(String),
}

impl OutsideStore {
    /// The row of an entity, and its revision. The error says what to do.
    pub(crate) async fn load(&self, key: &EntityKey) -> Result<Loaded, String> {
        let (until, mut retries) = (Instant::now() + PATIENCE, RETRIES);
        loop {
            let why = match timeout_at(until, self.store.load(key)).await {
                Ok(Ok(None)) => return Ok((0, OutsideRow::default())),
                Ok(Ok(Some(stored))) => match OutsideRow::decode(&stored.row) {
                    Ok(row) => return Ok((stored.revision, row)),
                    Err(error) => {
                        let name = &self.name;
                        return Err(format!("the row of `{key}` in the store `{name}` cannot be read: {error}"));
                    }
                },
                Ok(Err(error)) => error.to_string(),
                Err(_) => silent(),
            };
            if !pause(until, &mut retries).await {
                return Err(self.complaint(key, "loaded from", &why));
            }
        }
    }

    /// Replaces the row of an entity that has this revision.
    pub(crate) async fn save(&self, key: &EntityKey, revision: u64, row: Bytes) -> Result<(), NotSaved> {
        let (until, mut retries) = (Instant::now() + PATIENCE, RETRIES);
        let mut certain = true;
        loop {
            let why = match timeout_at(until, self.store.save(key, revision, row.clone())).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(EntityStoreError::Conflict)) if certain => return Err(NotSaved::Conflict),
                // An earlier attempt may be what has raised the revision.
                Ok(Err(EntityStoreError::Conflict)) => match timeout_at(until, self.store.load(key)).await {
                    Ok(Ok(Some(stored))) if stored.revision == revision + 1 && stored.row == row => return Ok(()),
                    Ok(Ok(_)) => return Err(NotSaved::Conflict),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => silent(),
                },
                Ok(Err(error)) => {
                    certain &= matches!(error, EntityStoreError::Unavailable(_));
                    error.to_string()
                }
                Err(_) => {
                    certain = false;
                    silent()
                }
            };
            if !pause(until, &mut retries).await {
                let complaint = self.complaint(key, "saved in", &why);
                return Err(if certain { NotSaved::Unavailable(complaint) } else { NotSaved::Unknown(complaint) });
            }
        }
    }

    fn complaint(&self, key: &EntityKey, what: &str, why: &str) -> String {
        format!("`{key}` could not be {what} the store `{}` within {PATIENCE:?}: {why}", self.name)
    }
}

fn silent() -> String {
    "it does not answer: is it up, and reached from this node?".to_owned()
}

/// Waits for the next attempt. `false`: there is no time for one.
async fn pause(until: Instant, retries: &mut Backoff) -> bool {
    let delay = retries.next_delay(&mut ThreadRng);
    if Instant::now() + delay >= until {
        return false;
    }
    sleep(delay).await;
    true
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use futures_util::future::{BoxFuture, FutureExt, pending};
    use parking_lot::Mutex;

    use super::*;
    use crate::storage::StoredEntity;

    /// How a store answers one call.
    #[derive(Clone, Debug)]
    enum Word {
        Saved(Result<(), fn() -> EntityStoreError>),
        Loaded(Option<StoredEntity>),
        Silence,
    }

    /// A store that answers as it is told, call by call; the last word is said again and again.
    #[derive(Debug)]
    struct Script(Mutex<VecDeque<Word>>);

    impl Script {
        fn next(&self) -> Word {
            let mut words = self.0.lock();
            if words.len() > 1 { words.pop_front().unwrap() } else { words[0].clone() }
        }
    }

    impl EntityStore for Script {
        fn load<'a>(&'a self, _: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
            async {
                match self.next() {
                    Word::Loaded(stored) => Ok(stored),
                    Word::Saved(result) => Err(result.unwrap_err()()),
                    Word::Silence => pending().await,
                }
            }
            .boxed()
        }

        fn save<'a>(&'a self, _: &'a EntityKey, _: u64, _: Bytes) -> BoxFuture<'a, Result<(), EntityStoreError>> {
            async {
                match self.next() {
                    Word::Saved(result) => result.map_err(|error| error()),
                    Word::Loaded(_) => unreachable!("the store is asked to save"),
                    Word::Silence => pending().await,
                }
            }
            .boxed()
        }
    }

    const ROW: Bytes = Bytes::from_static(b"row");
    const SAVED: Word = Word::Saved(Ok(()));
    const CONFLICT: Word = Word::Saved(Err(|| EntityStoreError::Conflict));
    const DOWN: Word = Word::Saved(Err(|| EntityStoreError::unavailable("down")));
    const LOST: Word = Word::Saved(Err(|| EntityStoreError::unknown("lost")));

    fn holds(revision: u64, row: &'static [u8]) -> Word {
        Word::Loaded(Some(StoredEntity { revision, row: Bytes::from_static(row) }))
    }

    /// What comes of the save of a row over revision 4.
    async fn save(words: &[Word]) -> Result<(), NotSaved> {
        let script = Script(Mutex::new(words.iter().cloned().collect()));
        let store = OutsideStore { name: "ledger".into(), store: Arc::new(script) };
        let key = EntityKey { entity_type: "account".into(), id: "a".into() };
        store.save(&key, 4, ROW).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_is_one_unless_the_row_is_there_by_an_earlier_attempt() {
        assert_eq!(save(&[SAVED]).await, Ok(()));
        assert_eq!(save(&[CONFLICT]).await, Err(NotSaved::Conflict));
        assert_eq!(save(&[DOWN, CONFLICT]).await, Err(NotSaved::Conflict), "the first attempt did nothing");
        assert_eq!(save(&[LOST, SAVED]).await, Ok(()));
        assert_eq!(save(&[LOST, CONFLICT, holds(5, b"row")]).await, Ok(()));
        assert_eq!(save(&[LOST, CONFLICT, DOWN, CONFLICT, holds(5, b"row")]).await, Ok(()), "it is looked for again");
        for other in [holds(5, b"another"), holds(6, b"row"), Word::Loaded(None)] {
            assert_eq!(save(&[LOST, CONFLICT, other.clone()]).await, Err(NotSaved::Conflict), "{other:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_saved_is_not_said_to_be_unsaved() {
        for (words, certain) in [
            (&[DOWN][..], true),
            (&[LOST, DOWN], false),
            (&[DOWN, LOST, DOWN], false),
            (&[Word::Silence], false),
            (&[LOST, CONFLICT, Word::Silence], false),
        ] {
            let why = match save(words).await {
                Err(NotSaved::Unavailable(why)) if certain => why,
                Err(NotSaved::Unknown(why)) if !certain => why,
                other => panic!("{words:?}: {other:?}"),
            };
            assert!(why.contains("`account/a` could not be saved in the store `ledger` within 3s"), "{why}");
        }
    }
}
