//! One group on one node.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::engine::Engine;
use super::{LeaderId, Leadership, NotLeader, ProposeError, RaftError, RaftSettings, Refusal, Roster, RosterChange};
use crate::base::{GroupId, NodeKey};
use crate::storage::LogStore;

/// How often a voter stands that should lead a new group, before it leaves it to the election timers.
const CAMPAIGN_TRIES: u32 = 10;
/// How long it waits in between: the others may not have opened the group yet.
const CAMPAIGN_PAUSE: Duration = Duration::from_millis(20);

/// So many heartbeats a member has to answer that is to vote.
const ANSWER_HEARTBEATS: u32 = 5;

/// A command that was committed and applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// Its place in the log.
    pub index: u64,
    /// What the machine answered.
    pub output: Bytes,
}

/// Called exactly once with the fate of a proposal, straight from the apply loop: it must be quick and may not block.
pub type ProposalDone = Box<dyn FnOnce(Result<Proposed, ProposeError>) + Send>;

/// How far a group is on this node. An index is `None` before there was such an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupStatus {
    /// The last entry of the log.
    pub last_index: Option<u64>,
    /// The last entry known to be committed.
    pub committed: Option<u64>,
    /// The last entry that the machine has applied.
    pub applied: Option<u64>,
    /// The last entry that was forgotten.
    pub purged: Option<u64>,
    /// The last entry that a snapshot covers.
    pub snapshot_index: Option<u64>,
    /// The newest term that this node has seen.
    pub term: u64,
    /// The leader, as far as this node knows.
    pub leader: Option<LeaderId>,
}

/// One group on one node. It lives until its host closes it.
pub struct Group {
    id: GroupId,
    settings: RaftSettings,
    engine: Engine,
    log: Arc<dyn LogStore>,
    leadership: watch::Receiver<Leadership>,
    publisher: AbortHandle,
    /// One early election at a time, however often a connection breaks.
    succeeding: AtomicBool,
}

impl Group {
    /// Watches an engine that was just started.
    pub(super) fn new(id: GroupId, engine: Engine, log: Arc<dyn LogStore>, settings: RaftSettings) -> Self {
        let (said, leadership) = watch::channel(Leadership::default());
        let publisher = tokio::spawn(super::leadership::publish(engine.clone(), settings.clone(), said)).abort_handle();
        Self { id, settings, engine, log, leadership, publisher, succeeding: AtomicBool::new(false) }
    }

    /// The group's name in the cluster.
    pub fn id(&self) -> GroupId {
        self.id
    }

    /// Stands for election at once, and again for a while, until somebody leads: for the voter that should lead a new group.
    /// The others stand in their own time.
    pub async fn campaign(&self) {
        let mut leadership = self.leadership.clone();
        for _ in 0..CAMPAIGN_TRIES {
            let led = leadership.wait_for(|now| now.leader.is_some());
            if !self.engine.elect().await || tokio::time::timeout(CAMPAIGN_PAUSE, led).await.is_ok() {
                return;
            }
        }
    }

    /// Proposes a command under a leadership of this node: it enters the log in this term or not at all. Success means
    /// that this very entry was committed, perhaps by a later leader that had it.
    ///
    /// Commands that were proposed one after the other are in the log in this order.
    pub fn propose(&self, leader: LeaderId, command: Bytes, done: ProposalDone) {
        self.engine.propose(leader, command, done);
    }

    /// Proposes a command if this node leads, and waits for what the machine answers. It gives up when this node is
    /// no longer sure to lead; to take it to the leader is up to the caller.
    pub async fn write(&self, command: Bytes) -> Result<Bytes, ProposeError> {
        let mut leadership = self.leadership.clone();
        let Leadership { leader, ours } = *leadership.borrow_and_update();
        let Some(ours) = ours else {
            return Err(ProposeError::NotProposed { group: self.id, why: Refusal::NotLeader { leader } });
        };
        let (tell, told) = oneshot::channel();
        self.propose(ours, command, Box::new(move |result| drop(tell.send(result))));
        let lost = ProposeError::Lost { group: self.id };
        tokio::select! {
            biased;
            result = told => Ok(result.map_err(|_| lost)??.output),
            _ = leadership.wait_for(|now| now.ours != Some(ours)) => Err(lost),
        }
    }

    /// Shows, by asking a majority, that this node leads at this moment under `leader`, and that everything committed
    /// before the call is applied here: a read that follows is linearizable. Nothing is appended to the log.
    pub async fn confirm(&self, leader: LeaderId) -> Result<(), NotLeader> {
        if self.engine.confirm(leader, self.settings.quorum_patience()).await {
            return Ok(());
        }
        Err(NotLeader { group: self.id, leader: self.engine.pulse().view().leader })
    }

    /// Who leads, now and from here on. The sender is gone when the group has stopped.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.leadership.clone()
    }

    /// Hands the leadership to another voter, and waits until this node knows it. Proposals are refused meanwhile.
    /// It is no error when this node does not lead in the first place and `to` does.
    pub async fn transfer(&self, to: NodeKey) -> Result<(), RaftError> {
        let failed = |why: String| RaftError::NotTransferred { group: self.id, to, why };
        let mut leadership = self.leadership.clone();
        if leadership.borrow().leader.is_some_and(|leader| leader.node == to) {
            return Ok(());
        }
        self.engine.transfer(to).await?;
        let arrived = leadership.wait_for(|now| now.leader.is_some_and(|leader| leader.node == to));
        match tokio::time::timeout(self.settings.quorum_patience(), arrived).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(self.engine.stopped()),
            Err(_) => Err(failed("the target did not win an election in time; is it connected and caught up?".into())),
        }
    }

    /// Who belongs to the group, as far as this node knows.
    pub fn roster(&self) -> Roster {
        self.engine.roster()
    }

    /// Waits for answers, on the leader, from a majority of these, to what it sends from now on: it would get them now. `false`:
    /// they did not come within some heartbeats. What was heard before says nothing: a process that stood still for an hour
    /// finds that it heard from everybody a moment ago.
    pub async fn reaches_majority_of(&self, voters: &BTreeSet<NodeKey>) -> bool {
        let (begun, heartbeat) = (Instant::now(), self.engine.heartbeat());
        let reached = || {
            let answered = self.engine.answered_since(begun);
            voters.intersection(&answered).count() * 2 > voters.len()
        };
        for _ in 0..2 * ANSWER_HEARTBEATS {
            if reached() {
                return true;
            }
            tokio::time::sleep(heartbeat / 2).await;
        }
        reached()
    }

    /// Changes who belongs to the group, on its leader, and waits until the change is committed. It is not known whether
    /// it was when the future is dropped, or ends with an error.
    pub async fn change(&self, change: RosterChange) -> Result<(), RaftError> {
        self.engine.change(change).await
    }

    /// Compacts the log now.
    pub async fn compact(&self) -> Result<(), RaftError> {
        self.engine.compact().await
    }

    /// How far the group is.
    pub fn status(&self) -> GroupStatus {
        self.engine.status()
    }

    /// Why the group has stopped, if it has.
    pub fn failure(&self) -> Option<RaftError> {
        self.engine.is_closed().then(|| self.engine.stopped())
    }

    /// Whether this node has no room for more entries at the moment.
    pub fn is_full(&self) -> bool {
        self.log.is_full()
    }

    pub(super) fn log(&self) -> &dyn LogStore {
        &*self.log
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether an early election may begin; [`Group::end_succession`] ends it.
    pub(super) fn begin_succession(&self) -> bool {
        !self.succeeding.swap(true, Ordering::AcqRel)
    }

    pub(super) fn end_succession(&self) {
        self.succeeding.store(false, Ordering::Release);
    }

    /// Stops the group: what was proposed and not applied is lost.
    pub(super) async fn stop(&self) {
        self.engine.shutdown().await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.publisher.abort();
    }
}
