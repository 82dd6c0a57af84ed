//! Entities that are kept in a store outside of the cluster: each is loaded before it lives, and what its handlers did is
//! saved as its whole row, where that of others is proposed to the group.
//!
//! A row is saved by compare and swap, so a node that was deposed saves nothing once its successor has. Until then it may: what
//! its successor has loaded is old then, which the successor notices when it saves. So what was saved is shown to nobody before
//! a read index, begun afterwards, says that this node still led: whoever leads later loads what was saved.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt;

use super::Outbox;
use super::activation::Newborn;
use super::cells::CellKey;
use super::intake::Intake;
use super::open::Open;
use super::reads::Ended;
use super::release::Releaser;
use crate::base::{BoxError, EntityId, NodeKey, RequestId, SessionId, StableMap};
use crate::replication::{OutsideRow, Record, Recorded};
use crate::sharding::OutsideStore;
use crate::sharding::outside::{Loaded, NotSaved};
use crate::sharding::protocol::{Outcome, Request};
use crate::storage::EntityKey;

/// The most requests that wait for one entity to be loaded.
const WAITING_MAX: usize = 65_536;

/// An entity whose row has answers of so many bytes takes no requests until some are confirmed. They are saved with each change.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What a live entity has of its row, and what waits for the store.
pub(super) struct Outside {
    store: OutsideStore,
    key: EntityKey,
    /// The revision in the store.
    revision: u64,
    /// The row with all that handlers did.
    row: OutsideRow,
    /// The requests whose handlers have not ended.
    running: BTreeSet<RequestId>,
    /// What handlers did since the last save began, in order.
    done: Vec<Ended>,
    /// What is being saved.
    saving: Option<Vec<Ended>>,
}

/// The entities of an open region that are not live yet, or have something to save.
#[derive(Default)]
pub(super) struct Pending {
    loading: StableMap<(u32, EntityId), Loading>,
    unsaved: BTreeSet<CellKey>,
}

struct Loading {
    newborn: Newborn,
    store: OutsideStore,
    key: EntityKey,
    waiting: Vec<(SessionId, Request)>,
}

/// A store has done what it was asked for, or has not.
pub(super) enum FromStore {
    /// It was asked for a row.
    Loaded { entity_type: u32, entity: EntityId, result: Result<Loaded, String> },
    /// It was to save the row of a cell.
    Saved { cell: CellKey, result: Result<(), NotSaved> },
}

impl Outside {
    /// A handler is to run.
    pub(super) fn started(&mut self, id: RequestId) {
        self.running.insert(id);
    }

    /// A handler has ended, or never ran.
    pub(super) fn ended(&mut self, request: Option<RequestId>) {
        if let Some(id) = request {
            self.running.remove(&id);
        }
    }

    /// Whether all that handlers did is saved.
    pub(super) fn is_saved(&self) -> bool {
        self.saving.is_none() && self.done.is_empty()
    }

    /// A handler that may have changed the entity has ended. On an error nothing is taken in.
    pub(super) fn write(&mut self, record: &Record<'_>, ended: Ended) -> Result<(), BoxError> {
        self.row.apply(record)?;
        self.done.push(ended);
        Ok(())
    }

    /// A handler that changed nothing has ended.
    pub(super) fn read(&mut self, ended: Ended) {
        self.done.push(ended);
    }

    /// Whose requests the row has answers to.
    pub(super) fn origins(&self) -> impl Iterator<Item = NodeKey> {
        self.row.origins()
    }

    /// The next row to save, if a handler changed it.
    fn next_row(&mut self) -> Option<Result<Bytes, BoxError>> {
        self.done.iter().any(|ended| ended.version.is_some()).then(|| self.row.encode())
    }
}

impl Pending {
    /// A handler of this cell has ended: it may have something to save.
    pub(super) fn set_due(&mut self, cell: CellKey) {
        self.unsaved.insert(cell);
    }
}

impl Open {
    /// Begins to load an entity.
    pub(super) fn load(&mut self, newborn: Newborn, store: OutsideStore) {
        let key = EntityKey { entity_type: newborn.name.as_str().into(), id: newborn.entity.clone() };
        let (entity_type, entity) = (newborn.entity_type, newborn.entity.clone());
        let loading = Loading { newborn, store: store.clone(), key: key.clone(), waiting: Vec::new() };
        self.outside.loading.insert((entity_type, entity.clone()), loading);
        let (region, epoch) = (self.region.clone(), self.epoch);
        tokio::spawn(async move {
            let loaded = AssertUnwindSafe(store.load(&key)).catch_unwind().await;
            let result = loaded.unwrap_or_else(|_| Err(format!("the store `{}` panicked", store.name)));
            let loaded = FromStore::Loaded { entity_type, entity, result };
            region.push(|events| events.stores.push((epoch, loaded)));
        });
    }

    /// Whether an entity is being loaded.
    pub(super) fn is_loading(&self, entity_type: u32, entity: &EntityId) -> bool {
        self.outside.loading.contains_key(&(entity_type, entity.clone()))
    }

    /// Has a request wait for its entity, if that is being loaded.
    pub(super) fn wait(&mut self, session: SessionId, request: &Request, outbox: &mut Outbox) {
        let entity = (session.entity_type, request.entity.clone());
        let Some(loading) = self.outside.loading.get_mut(&entity) else { return };
        if loading.waiting.len() >= WAITING_MAX {
            return self.answer(RequestId { session, sequence: request.sequence }, Outcome::Full, outbox);
        }
        loading.waiting.push((session, request.clone()));
        if let Some(intake) = self.intakes.get_mut(&session) {
            intake.started(request.sequence);
        }
    }

    /// How a request ends without its handler, if its entity is kept outside: it was answered before, or there is no room for
    /// more answers.
    pub(super) fn ends_early(&mut self, key: CellKey, id: RequestId) -> Option<Outcome> {
        let outside = self.cells.get_mut(key)?.outside.as_mut()?;
        match outside.row.recorded(id) {
            Some(Recorded::Value(bytes)) => return Some(Outcome::Value(bytes.clone())),
            Some(Recorded::Failed) => return Some(Outcome::Failed),
            None if outside.row.answer_bytes() < ANSWER_BYTES_MAX => return None,
            None => {}
        }
        self.prune(key);
        let outside = self.cells.get_mut(key)?.outside.as_ref()?;
        (outside.row.answer_bytes() >= ANSWER_BYTES_MAX).then_some(Outcome::Full)
    }

    /// Begins to save what has changed, where nothing is being saved.
    pub(super) fn save(&mut self, outbox: &mut Outbox, releaser: &Releaser) {
        for key in std::mem::take(&mut self.outside.unsaved) {
            self.prune(key);
            let Some(outside) = self.cells.get_mut(key).and_then(|cell| cell.outside.as_mut()) else { continue };
            if outside.saving.is_some() {
                continue;
            }
            match outside.next_row() {
                Some(Ok(row)) => self.begin_save(key, row),
                Some(Err(error)) => {
                    let why = NotSaved::Unavailable(format!("`{}` cannot be saved: {error}", outside.key));
                    self.give_up(key, &why, outbox, releaser);
                }
                None => {
                    // Reads alone: what they saw is saved.
                    let done = std::mem::take(&mut outside.done);
                    done.into_iter().for_each(|ended| self.reads.push(ended, 0, self.committed));
                    self.end_if_over(key, outbox, releaser);
                }
            }
        }
    }

    fn begin_save(&mut self, cell: CellKey, row: Bytes) {
        let Some(outside) = self.cells.get_mut(cell).and_then(|cell| cell.outside.as_mut()) else { return };
        outside.saving = Some(std::mem::take(&mut outside.done));
        let (store, key, revision) = (outside.store.clone(), outside.key.clone(), outside.revision);
        let (region, epoch) = (self.region.clone(), self.epoch);
        tokio::spawn(async move {
            let saved = AssertUnwindSafe(store.save(&key, revision, row)).catch_unwind().await;
            let panicked = |_| Err(NotSaved::Unknown(format!("the store `{}` panicked", store.name)));
            let result = saved.unwrap_or_else(panicked);
            region.push(|events| events.stores.push((epoch, FromStore::Saved { cell, result })));
        });
    }

    /// A store has answered.
    pub(super) fn take_word(&mut self, epoch: u64, word: FromStore, outbox: &mut Outbox, releaser: &Releaser) {
        match word {
            _ if epoch != self.epoch => {}
            FromStore::Loaded { entity_type, entity, result } => self.loaded(entity_type, entity, result, outbox),
            FromStore::Saved { cell, result } => self.saved(cell, result, outbox, releaser),
        }
    }

    fn loaded(&mut self, entity_type: u32, entity: EntityId, result: Result<Loaded, String>, outbox: &mut Outbox) {
        let Some(loading) = self.outside.loading.remove(&(entity_type, entity)) else { return };
        let Loading { newborn, store, key, waiting } = loading;
        let born = result.and_then(|(revision, row)| {
            let state = row.row().clone();
            let (running, done, saving) = (BTreeSet::new(), Vec::new(), None);
            self.bear(newborn, state, Some(Outside { store, key, revision, row, running, done, saving }))
        });
        if let Err(reason) = &born {
            tracing::warn!(reason, "an entity does not live");
        }
        for (session, request) in waiting {
            let id = RequestId { session, sequence: request.sequence };
            match &born {
                // Its session is gone, and so is who asked.
                _ if !self.intakes.contains_key(&session) => {}
                Ok(_) => self.run(session, &request, outbox),
                Err(reason) => self.answer(id, Outcome::Unavailable(reason.clone()), outbox),
            }
        }
    }

    fn saved(&mut self, key: CellKey, result: Result<(), NotSaved>, outbox: &mut Outbox, releaser: &Releaser) {
        if let Err(why) = result {
            return self.give_up(key, &why, outbox, releaser);
        }
        let Some(outside) = self.cells.get_mut(key).and_then(|cell| cell.outside.as_mut()) else { return };
        outside.revision += 1;
        let saved = outside.saving.take().unwrap_or_default();
        saved.into_iter().for_each(|ended| self.reads.push(ended, 0, self.committed));
        // What came meanwhile is next.
        self.outside.set_due(key);
    }

    fn end_if_over(&mut self, key: CellKey, outbox: &mut Outbox, releaser: &Releaser) {
        let committed = self.committed;
        if self.cells.get_mut(key).is_some_and(|cell| cell.ended && cell.is_settled(committed)) {
            self.remove(key, outbox, releaser);
        }
    }

    /// A row was not saved: ends its cell, which is ahead of what is kept. The next request loads the entity anew.
    fn give_up(&mut self, key: CellKey, why: &NotSaved, outbox: &mut Outbox, releaser: &Releaser) {
        let Some(mut cell) = self.take_out(key) else { return };
        let Some(outside) = cell.outside.take() else { return };
        tracing::warn!(entity = %outside.key, store = %outside.store.name, ?why, "an entity starts anew from its store");
        cell.cell.stop();
        cell.sends.take_free().for_each(|parcel| releaser.release(parcel, None));
        let saving = outside.saving.unwrap_or_default();
        let of = |ended: &[Ended]| ended.iter().filter_map(Ended::request).collect::<Vec<_>>();
        let waiting = cell.waiting.into_iter().flatten();
        let waiting = waiting.map(|(session, request)| RequestId { session, sequence: request.sequence });
        let later = of(&outside.done).into_iter().chain(outside.running).chain(waiting);
        match why {
            NotSaved::Conflict => {
                let ids: Vec<_> = of(&saving).into_iter().chain(later).collect();
                self.have_sent_again(&ids, outbox);
                self.start_singletons();
            }
            NotSaved::Unavailable(reason) | NotSaved::Unknown(reason) => {
                let (unknown, certain) = saving
                    .into_iter()
                    .partition::<Vec<_>, _>(|e| e.version.is_some() && matches!(why, NotSaved::Unknown(_)));
                let certain = of(&certain);
                of(&unknown).into_iter().for_each(|id| self.answer(id, Outcome::Unknown(reason.clone()), outbox));
                for id in certain.into_iter().chain(later) {
                    self.answer(id, Outcome::Unavailable(reason.clone()), outbox);
                }
            }
        }
    }

    /// Lets go of answers that nobody asks for any more.
    fn prune(&mut self, key: CellKey) {
        let state = self.parts.state.lock();
        let (intakes, sessions) = (&self.intakes, state.sessions());
        if let Some(outside) = self.cells.get_mut(key).and_then(|cell| cell.outside.as_mut()) {
            outside.row.prune(|id| intakes.get(&id).map(Intake::floor), |origin| sessions.is_expired(origin));
        }
    }

    /// The origins of which entities that are kept outside have answers, unless they are refused.
    pub(super) fn origins_outside(&self) -> BTreeSet<NodeKey> {
        let state = self.parts.state.lock();
        let kept = self.cells.iter().filter_map(|cell| cell.outside.as_ref()).flat_map(Outside::origins);
        kept.filter(|origin| !state.sessions().is_expired(*origin)).collect()
    }
}
