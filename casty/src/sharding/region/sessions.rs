//! Sessions of routers with an open region: what comes on them, and what goes back.

use std::collections::BTreeSet;

use super::Outbox;
use super::intake::{Intake, Verdict};
use super::open::Open;
use crate::base::{NodeKey, RequestId, SessionId};
use crate::replication::{Recorded, SessionTable};
use crate::sharding::protocol::{Call, Outcome, Request, ToRegion, ToRouter};

/// The most sessions that a group keeps. Each is a node's requests to one shard.
const SESSIONS_MAX: usize = 65_536;

/// The most that the kept replies of a group may take, in bytes.
const SESSION_BYTES_MAX: usize = 256 << 20;

impl Open {
    /// A router's frame.
    pub(super) fn frame(&mut self, from: NodeKey, frame: ToRegion, outbox: &mut Outbox) {
        let ToRegion { session, counter, what, .. } = frame;
        if let Call::Open { leader, epoch, first, fresh } = what {
            if (leader, epoch) == (self.leader, self.epoch) {
                self.open_session(from, session, counter, first, fresh, outbox);
            }
            return;
        }
        let Some(intake) = self.intakes.get_mut(&session) else {
            outbox.entry(from).or_default().push(self.not_open(session, counter, &what));
            return;
        };
        let (verdict, request) = match what {
            Call::Skip { sequence } => (intake.skip(counter, sequence), None),
            Call::Request(request) => (intake.request(counter, request.sequence, request.floor), Some(request)),
            Call::Open { .. } => return,
        };
        match (verdict, request) {
            (Verdict::Gap, _) => {
                let counter = intake.counter();
                outbox.entry(from).or_default().push(ToRouter::Reopen { session, counter });
            }
            (Verdict::Recall, Some(request)) => self.recall(session, request, outbox),
            (Verdict::Run, Some(request)) => self.run(session, &request, outbox),
            (Verdict::Late | Verdict::Join, _) | (Verdict::Run | Verdict::Recall, None) => {}
        }
    }

    fn open_session(
        &mut self,
        from: NodeKey,
        session: SessionId,
        counter: u64,
        first: u64,
        fresh: u64,
        outbox: &mut Outbox,
    ) {
        if let Some(intake) = self.intakes.get_mut(&session) {
            intake.reopen(from, counter, first, fresh);
            return;
        }
        let state = self.parts.state.lock();
        let table = state.sessions();
        if table.is_expired(session.origin) {
            outbox.entry(from).or_default().push(ToRouter::Expired { origin: session.origin });
        } else if table.has(session) || !self.is_full(table) {
            self.intakes.insert(session, Intake::open(from, counter, first, fresh));
        }
    }

    /// Whether there is no room for another session.
    fn is_full(&self, table: &SessionTable) -> bool {
        self.intakes.len().max(table.len()) >= SESSIONS_MAX || table.bytes() >= SESSION_BYTES_MAX
    }

    /// What to say to a frame of a session that is not open: it may be opened, or there is no room for it.
    fn not_open(&self, session: SessionId, counter: u64, what: &Call) -> ToRouter {
        let state = self.parts.state.lock();
        match what {
            Call::Request(request) if self.is_full(state.sessions()) && !state.sessions().has(session) => {
                let group = self.region.group();
                let reason = format!("group {group} keeps the replies of too many sessions: let fewer nodes call it");
                let outcome = Outcome::Unavailable(reason);
                ToRouter::Answer { session, counter, sequence: request.sequence, outcome }
            }
            _ => ToRouter::Reopen { session, counter },
        }
    }

    /// The group drops the sessions of this origin.
    pub(super) fn expire(&mut self, origin: NodeKey) {
        self.intakes.retain(|session, _| session.origin != origin);
    }

    /// A request that may have been answered before.
    fn recall(&mut self, session: SessionId, request: Request, outbox: &mut Outbox) {
        let id = RequestId { session, sequence: request.sequence };
        let recorded = self.parts.state.lock().sessions().recorded(id).cloned();
        match recorded {
            Some(Recorded::Value(bytes)) => self.answer(id, Outcome::Value(bytes), outbox),
            Some(Recorded::Failed) => self.answer(id, Outcome::Failed, outbox),
            None => self.run(session, &request, outbox),
        }
    }

    pub(super) fn answer(&mut self, id: RequestId, outcome: Outcome, outbox: &mut Outbox) {
        let Some(intake) = self.intakes.get_mut(&id.session) else { return };
        intake.answered(id.sequence);
        self.tell(id, outcome, outbox);
    }

    /// Sends an answer to whoever opened the session last.
    pub(super) fn tell(&self, id: RequestId, outcome: Outcome, outbox: &mut Outbox) {
        let Some(intake) = self.intakes.get(&id.session) else { return };
        let (session, counter, sequence) = (id.session, intake.counter(), id.sequence);
        let word = ToRouter::Answer { session, counter, sequence, outcome };
        outbox.entry(intake.peer).or_default().push(word);
    }

    /// Drops a session, so that its router opens it again.
    pub(super) fn forget(&mut self, session: SessionId, outbox: &mut Outbox) {
        if let Some(intake) = self.intakes.remove(&session) {
            let counter = intake.counter();
            outbox.entry(intake.peer).or_default().push(ToRouter::Reopen { session, counter });
        }
    }

    /// Has routers send requests again that were neither applied nor answered, and all that they sent after them in the same
    /// session, so that their order is kept.
    pub(super) fn have_sent_again(&mut self, requests: &[RequestId], outbox: &mut Outbox) {
        let mut sessions = BTreeSet::new();
        for id in requests {
            if let Some(intake) = self.intakes.get_mut(&id.session) {
                intake.answered(id.sequence);
                intake.interrupt();
                sessions.insert(id.session);
            }
        }
        for session in sessions {
            let Some(intake) = self.intakes.get(&session) else { continue };
            outbox.entry(intake.peer).or_default().push(ToRouter::Reopen { session, counter: intake.counter() });
        }
    }
}
