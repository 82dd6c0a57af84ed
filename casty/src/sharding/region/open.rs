//! An open region: everything that lives and dies with one leadership.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::activation::Activation;
use super::batch::{Answer, Batch, BatchEffect, Entry};
use super::cells::{CellKey, Cells};
use super::intake::Intake;
use super::outside::Pending;
use super::passivation::Idle;
use super::reads::{Ended, Reads};
use super::release::Releaser;
use super::sends::Parcel;
use super::{BATCH_BYTES_MAX, Confirmed, Outbox, Region, RegionParts, Source};
use crate::actor::entity::{Effect, Undelivered, What};
use crate::actor::reply::SinkReply;
use crate::base::{BoxError, RequestId, SessionId, StableMap};
use crate::raft::LeaderId;
use crate::replication::{Record, Reply};
use crate::sharding::Router;
use crate::sharding::protocol::{Outcome, Request};

/// The largest reply, in bytes. That of a write is far smaller: it stands in the log.
const REPLY_BYTES_MAX: usize = 16 << 20;

/// A region under one leadership.
pub(super) struct Open {
    pub(super) leader: LeaderId,
    pub(super) epoch: u64,
    /// The batches that collect: the last takes records, those before it are full.
    batches: VecDeque<Batch>,
    /// Something went wrong that only a new start mends.
    pub(super) broken: bool,
    /// A request came for an entity type that this program lacks.
    pub(super) lacks_a_type: bool,
    pub(super) parts: RegionParts,
    pub(super) region: Arc<Region>,
    pub(super) router: Arc<Router>,
    pub(super) intakes: StableMap<SessionId, Intake>,
    pub(super) cells: Cells,
    pub(super) idle: Idle,
    pub(super) outside: Pending,
    pub(super) reads: Reads,
    pub(super) committed: u64,
}

/// What a handler wrote.
struct Written<'a> {
    version: u64,
    change: Option<&'a [u8]>,
    reply: SinkReply,
    parcel: Option<Parcel>,
}

impl Open {
    /// A region that has just been opened.
    pub(super) fn new(
        leader: LeaderId,
        epoch: u64,
        parts: RegionParts,
        region: Arc<Region>,
        router: Arc<Router>,
    ) -> Self {
        Self {
            leader,
            epoch,
            cells: Cells::new(parts.live.clone()),
            idle: Idle::default(),
            batches: VecDeque::from([Batch::new(1)]),
            broken: false,
            lacks_a_type: false,
            parts,
            region,
            router,
            intakes: StableMap::default(),
            outside: Pending::default(),
            reads: Reads::default(),
            committed: 0,
        }
    }

    /// Hands a request to its entity's cell.
    pub(super) fn run(&mut self, session: SessionId, request: &Request, outbox: &mut Outbox) {
        let id = RequestId { session, sequence: request.sequence };
        let key = match self.cells.find(session.entity_type, &request.entity) {
            Some(key) => key,
            None if self.is_loading(session.entity_type, &request.entity) => {
                return self.wait(session, request, outbox);
            }
            None => match self.activate(session.entity_type, session.shard, &request.entity) {
                Ok(Activation::Live(key)) => key,
                Ok(Activation::Loading) => return self.wait(session, request, outbox),
                // The declaration of the type is on its way to this node: have the request come again.
                Ok(Activation::Undeclared) => return self.forget(session, outbox),
                // So here, but other entities of the session may run.
                Ok(Activation::Unreadable) => return self.have_sent_again(&[id], outbox),
                Err(reason) => return self.answer(id, Outcome::Unavailable(reason), outbox),
            },
        };
        if self.waits_for_the_end(key, session, request, outbox) {
            return;
        }
        if let Some(outcome) = self.ends_early(key, id) {
            return self.answer(id, outcome, outbox);
        }
        let Some(cell) = self.cells.get_mut(key) else { return };
        let writable = cell.outside.is_some() || !self.parts.group.is_full();
        let outcome = match cell.cell.deliver(id, request.tag, &request.body, writable) {
            Ok(()) => {
                (cell.running, cell.used) = (cell.running + 1, Instant::now());
                cell.outside.iter_mut().for_each(|outside| outside.started(id));
                if let Some(intake) = self.intakes.get_mut(&session) {
                    intake.started(request.sequence);
                }
                return;
            }
            Err(Undelivered::Malformed(error)) => Outcome::Unavailable(error.to_string()),
            Err(Undelivered::Panicked(panic)) => {
                Outcome::Unavailable(format!("a message to `{}` panicked while it was read: {panic}", request.entity))
            }
            // If another node has room, it is handed the group (`stewardship`).
            Err(Undelivered::ReadOnly) => {
                let node = &self.parts.node;
                Outcome::Unavailable(format!("there is no room on the disk of {node}, which leads the entity's group"))
            }
            Err(Undelivered::Full) => Outcome::Full,
            Err(Undelivered::Stopped) => Outcome::Unavailable(format!("`{}` is stopping", request.entity)),
        };
        self.answer(id, outcome, outbox);
    }

    /// What a handler did.
    pub(super) fn effect(&mut self, source: Source, effect: Effect, outbox: &mut Outbox, releaser: &Releaser) {
        if source.epoch != self.epoch {
            return;
        }
        let Effect { request, what, held } = effect;
        // What a cell did after it was given up counts for nothing.
        let Some(cell) = self.cells.get_mut(source.cell) else { return };
        if request.is_some() {
            (cell.running, cell.used) = (cell.running.saturating_sub(1), Instant::now());
        }
        let parcel = cell.sends.number(held);
        cell.outside.iter_mut().for_each(|outside| outside.ended(request));
        match (what, request) {
            (What::Write { version, change, reply }, request) => {
                let change = change.as_deref();
                self.write(source.cell, request, Written { version, change, reply, parcel }, outbox);
            }
            (What::Read { reply }, Some(id)) => {
                let Some(outcome) = outcome_of(reply) else { return };
                if parcel.is_none() && cell.answers_at_once() {
                    return self.answer(id, outcome, outbox);
                }
                let ended = Ended { answer: Some((id, outcome)), cell: source.cell, parcel, version: None };
                match &mut cell.outside {
                    Some(outside) => {
                        outside.read(ended);
                        self.outside.set_due(source.cell);
                    }
                    None => self.reads.push(ended, cell.last_batch, self.committed),
                }
            }
            (What::Refused { reason }, Some(id)) => self.answer(id, Outcome::Unavailable(reason), outbox),
            (What::Gone, _) => self.end_cell(source.cell, outbox, releaser),
            (What::Stays, _) => self.stays(source.cell, Instant::now(), outbox),
            (What::Read { .. } | What::Refused { .. }, None) => {}
        }
    }

    /// A cell has ended.
    fn end_cell(&mut self, key: CellKey, outbox: &mut Outbox, releaser: &Releaser) {
        let Some(cell) = self.cells.get_mut(key) else { return };
        cell.ended = true;
        cell.waiting.get_or_insert_default();
        if cell.is_settled(self.committed) {
            self.remove(key, outbox, releaser);
        }
    }

    /// What a handler sent may leave, behind what its cell sent before.
    fn let_go(&mut self, key: CellKey, parcel: Parcel, releaser: &Releaser) {
        match self.cells.get_mut(key) {
            Some(cell) => {
                let leaving = cell.sends.free(parcel);
                leaving.into_iter().for_each(|parcel| releaser.release(parcel, Some(cell.cell.clone())));
            }
            None => releaser.release(parcel, None),
        }
    }

    /// The region closes: what is free to go leaves, since nobody will ask for it again.
    pub(super) fn let_all_go(&mut self, releaser: &Releaser) {
        self.cells.take_free_sends().for_each(|parcel| releaser.release(parcel, None));
    }

    fn write(&mut self, key: CellKey, request: Option<RequestId>, written: Written<'_>, outbox: &mut Outbox) {
        let Written { version, change, reply, parcel } = written;
        let Some(outcome) = outcome_of(reply) else { return };
        if let Some(batch) = self.batches.back().filter(|batch| batch.bytes() >= BATCH_BYTES_MAX) {
            let number = batch.number + 1;
            self.batches.push_back(Batch::new(number));
        }
        let (Some(cell), Some(batch)) = (self.cells.get_mut(key), self.batches.back_mut()) else { return };
        cell.version = version;
        let at_once = request.filter(|_| cell.answers_at_once());
        let told = at_once.and_then(|id| self.intakes.get(&id.session)).map(Intake::counter);
        let floor = request.and_then(|id| self.intakes.get(&id.session)).map_or(0, Intake::floor);
        let reply = match &outcome {
            Outcome::Value(bytes) => Reply::Value(bytes),
            _ => Reply::Failed,
        };
        let entry = Entry { entity_type: cell.entity_type, entity: &cell.entity, floor, change, reply };
        let kept = match &mut cell.outside {
            Some(outside) => {
                let (entity_type, entity) = (cell.entity_type, cell.entity.as_str());
                let record = Record { entity_type, entity, version, request, floor, change, reply };
                let answer = request.map(|id| (id, outcome.clone()));
                self.outside.set_due(key);
                outside.write(&record, Ended { answer, cell: key, parcel, version: Some(version) })
            }
            None => {
                cell.last_batch = batch.number;
                let answer = request.map(|id| Answer { id, outcome: outcome.clone(), told });
                batch.push(&entry, BatchEffect { cell: key, version, answer, parcel }).map_err(BoxError::from)
            }
        };
        match kept {
            Ok(()) => {
                if let Some(id) = at_once {
                    // It stays pending: until the record is committed, nobody could tell that it was answered.
                    self.tell(id, outcome, outbox);
                }
            }
            Err(error) => {
                // The cell is ahead of what can be kept. Only a new start brings it back.
                tracing::error!(entity = %cell.entity, %error, "a change cannot be kept; the region starts anew");
                self.broken = true;
                if let Some(id) = request {
                    self.answer(id, Outcome::Unavailable(format!("the change cannot be kept: {error}")), outbox);
                }
            }
        }
    }

    /// The batch that is proposed now, if there is one; another begins to collect.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        let first = self.batches.pop_front_if(|batch| !batch.is_empty())?;
        if self.batches.is_empty() {
            self.batches.push_back(Batch::new(first.number + 1));
        }
        Some(first)
    }

    /// A batch is committed: answer, let its sends go, and tell the cells.
    pub(super) fn committed(&mut self, batch: Batch, outbox: &mut Outbox, releaser: &Releaser) {
        self.committed = batch.number;
        for BatchEffect { cell, version, answer, parcel } in batch.effects {
            if let Some(Answer { id, outcome, told }) = answer {
                match self.intakes.get_mut(&id.session) {
                    Some(intake) if told == Some(intake.counter()) => intake.answered(id.sequence),
                    _ => self.answer(id, outcome, outbox),
                }
            }
            if let Some(parcel) = parcel {
                self.let_go(cell, parcel, releaser);
            }
            let Some(settled) = self.cells.get_mut(cell) else { continue };
            settled.cell.committed(version);
            if settled.ended && settled.is_settled(self.committed) {
                self.remove(cell, outbox, releaser);
            }
        }
        self.reads.committed(self.committed);
        self.confirm_reads();
    }

    /// Begins a read index for the reads that wait for one.
    pub(super) fn confirm_reads(&mut self) {
        let Some(reads) = self.reads.begin() else { return };
        let (group, leader, epoch) = (self.parts.group.clone(), self.leader, self.epoch);
        let region = self.region.clone();
        tokio::spawn(async move {
            let leads = group.confirm(leader).await.is_ok();
            region.push(|events| events.confirmed.push(Confirmed { epoch, reads, leads }));
        });
    }

    /// A moment has passed since a read index failed.
    pub(super) fn retry_reads(&mut self) {
        if self.reads.has_failed() {
            self.reads.ended();
        }
    }

    /// A read index has ended.
    pub(super) fn confirmed(&mut self, confirmed: Confirmed, outbox: &mut Outbox, releaser: &Releaser) {
        if confirmed.epoch != self.epoch {
            return;
        }
        if !confirmed.leads {
            // If that is for good, the leadership ends, and the region with it.
            self.reads.failed(confirmed.reads);
            self.region.retry_soon();
            return;
        }
        self.reads.ended();
        for Ended { answer, cell, parcel, version } in confirmed.reads {
            if let Some((id, outcome)) = answer {
                self.answer(id, outcome, outbox);
            }
            if let Some(parcel) = parcel {
                self.let_go(cell, parcel, releaser);
            }
            if let (Some(version), Some(cell)) = (version, self.cells.get_mut(cell)) {
                cell.cell.committed(version);
            }
        }
    }
}

/// How a handler's end travels. `None`: the cell was stopped, and nobody is answered.
fn outcome_of(reply: SinkReply) -> Option<Outcome> {
    match reply {
        SinkReply::Value(bytes) if bytes.len() > REPLY_BYTES_MAX => {
            let bytes = bytes.len();
            Some(Outcome::Unavailable(format!("the reply takes {bytes} bytes, and {REPLY_BYTES_MAX} are allowed")))
        }
        SinkReply::Value(bytes) => Some(Outcome::Value(bytes.into())),
        SinkReply::Failed => Some(Outcome::Failed),
        SinkReply::Displaced => Some(Outcome::Full),
        SinkReply::Stopped => None,
    }
}
