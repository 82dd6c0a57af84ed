//! What a program holds of a replicated state machine.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::adapter::{Copy, Entry};
use super::serve::{Answer, Waiting};
use super::{Applied, ApplyError, MachineWord, ReadIndex, StateMachine};
use crate::base::{NodeId, NodeKey, RequestId, SessionId};
use crate::codec::{decode, encode, tag};
use crate::node::inner::Inner;
use crate::raft::{Group, GroupStatus, Leadership, RaftError};

/// Commands of one node to one machine that are under way; more wait for a place.
const WINDOW: usize = 1_024;

/// How long one attempt may take before it is made anew.
const ATTEMPT_MAX: Duration = Duration::from_secs(1);

/// How long to wait where there is no leader, unless one shows before.
const NO_LEADER_PAUSE: Duration = Duration::from_millis(10);

/// A state machine that is replicated: this node's copy of it, and the way to its leader. It is cheap to clone.
pub struct Replicated<M> {
    pub(super) shared: Arc<Shared<M>>,
}

pub(super) struct Shared<M> {
    pub(super) name: Arc<str>,
    pub(super) inner: Arc<Inner>,
    pub(super) group: Arc<Group>,
    pub(super) copy: Arc<Copy<M>>,
    pub(super) window: Semaphore,
    pub(super) requests: Mutex<Requests>,
}

/// The commands of this node that are not answered.
#[derive(Default)]
pub(super) struct Requests {
    next: u64,
    open: BTreeSet<u64>,
}

impl<M: StateMachine> Replicated<M> {
    pub(super) fn new(name: Arc<str>, inner: Arc<Inner>, group: Arc<Group>, copy: Arc<Copy<M>>) -> Self {
        let (window, requests) = (Semaphore::new(WINDOW), Mutex::default());
        Self { shared: Arc::new(Shared { name, inner, group, copy, window, requests }) }
    }

    /// Applies a command, from whichever node: it is taken to the leader, committed by a majority, and applied once on
    /// every copy, however often it has to be sent. Its output comes from the leader; this node's copy may be a moment behind.
    ///
    /// Commands that one task applies one after the other are applied in this order.
    pub async fn apply(&self, command: impl Into<M::Command>) -> Result<M::Output, ApplyError> {
        let shared = &*self.shared;
        let codec = |why: String| ApplyError::Codec { name: shared.name.to_string(), why };
        let command = Bytes::from(encode(&command.into()).map_err(|error| codec(error.to_string()))?);
        let after = shared.inner.system.env().ask_timeout();
        let deadline = Instant::now() + after;
        let unavailable = || ApplyError::Unavailable { name: shared.name.to_string(), after };
        let Ok(Ok(_place)) = timeout_at(deadline, shared.window.acquire()).await else { return Err(unavailable()) };
        let mut request = shared.number();
        let mut sent = false;
        while Instant::now() < deadline {
            let leader = match shared.leader(deadline).await {
                Ok(Some(leader)) => leader,
                Err(stopped) if !sent => return Err(stopped),
                Ok(None) | Err(_) => break,
            };
            let entry = Entry::Command { id: request.id(), floor: request.floor(), command: command.clone() };
            let entry = Bytes::from(encode(&entry).map_err(|error| codec(error.to_string()))?);
            let applied = timeout_at(deadline, shared.ask_to_apply(leader, &entry)).await;
            match applied.unwrap_or(Applied::Lost) {
                Applied::Value(output) => return decode(&output).map_err(|error| codec(error.to_string())),
                Applied::Failed => return Err(ApplyError::Failed { name: shared.name.to_string() }),
                Applied::Dropped { bytes } => return Err(ApplyError::without_output(&shared.name, bytes)),
                Applied::Unreadable => return Err(codec("the leader's program cannot read it".to_owned())),
                Applied::Expired(origin) if !sent => {
                    // The cluster had given this node up: it goes on under another origin, as its requests to entities do.
                    shared.inner.router.renew_origin(origin);
                    request = shared.number();
                }
                Applied::Over | Applied::Expired(_) => break,
                Applied::NotProposed => sleep(NO_LEADER_PAUSE).await,
                Applied::Lost => sent = true,
            }
        }
        if sent { Err(ApplyError::Unknown { name: shared.name.to_string(), after }) } else { Err(unavailable()) }
    }

    /// Reads the state as it is now: every command that was answered before is seen. It asks the leader up to where the
    /// copy of this node has to be, and waits for that; nothing is appended to the log.
    pub async fn read<T>(&self, look: impl FnOnce(&M) -> T) -> Result<T, ApplyError> {
        let shared = &*self.shared;
        let after = shared.inner.system.env().ask_timeout();
        let deadline = Instant::now() + after;
        while Instant::now() < deadline {
            let Some(leader) = shared.leader(deadline).await? else { break };
            match timeout_at(deadline, shared.ask_read_index(leader)).await.ok().flatten() {
                Some(index) if timeout_at(deadline, shared.copy.reaches(index)).await.is_ok() => {
                    return Ok(shared.copy.look(look));
                }
                _ => sleep(NO_LEADER_PAUSE).await,
            }
        }
        Err(ApplyError::Unavailable { name: shared.name.to_string(), after })
    }

    /// Reads this node's copy as it is, which may lack what was applied a moment ago, or since the node was cut off.
    pub fn read_stale<T>(&self, look: impl FnOnce(&M) -> T) -> T {
        self.shared.copy.look(look)
    }
}

impl<M> Replicated<M> {
    /// The name of the machine.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Whether this node leads the machine's group, with a majority that still follows it.
    pub fn is_leader(&self) -> bool {
        self.shared.group.leadership().borrow().ours.is_some()
    }

    /// The node that leads the machine's group, as far as this node knows.
    pub fn leader_id(&self) -> Option<NodeId> {
        let leader = self.shared.group.leadership().borrow().leader?;
        self.shared.inner.topology()?.nodes().get(&leader.node).map(|entry| entry.id.clone())
    }

    /// Who leads, now and from here on.
    pub fn leadership(&self) -> watch::Receiver<Leadership> {
        self.shared.group.leadership()
    }

    /// How far this node's copy is.
    pub fn status(&self) -> GroupStatus {
        self.shared.group.status()
    }

    /// Takes a snapshot of this node's copy now, behind which its log is compacted. It also happens by itself, after 5,000
    /// commands or 64 MiB of them.
    pub async fn compact(&self) -> Result<(), RaftError> {
        self.shared.group.compact().await
    }
}

impl<M: StateMachine> Shared<M> {
    /// The leader, once there is one; `None` after the deadline.
    async fn leader(&self, deadline: Instant) -> Result<Option<NodeKey>, ApplyError> {
        let mut leadership = self.group.leadership();
        let led = timeout_at(deadline, leadership.wait_for(|now| now.leader.is_some())).await;
        match led {
            Ok(Ok(now)) => Ok(now.leader.map(|leader| leader.node)),
            Ok(Err(_)) => Err(ApplyError::Stopped { name: self.name.to_string() }),
            Err(_) => Ok(None),
        }
    }

    async fn ask_to_apply(&self, leader: NodeKey, entry: &Bytes) -> Applied {
        let group = self.group.id();
        if leader == self.inner.me {
            return self.inner.apply_here(group, entry.clone()).await;
        }
        let (tell, told) = oneshot::channel();
        let word = |id| MachineWord::Apply { group, id, entry: entry.clone() };
        match self.ask(leader, Answer::Applied(tell), told, word).await {
            Asked::Answered(applied) => applied,
            Asked::NotSent => Applied::NotProposed,
            Asked::NotAnswered => Applied::Lost,
        }
    }

    async fn ask_read_index(&self, leader: NodeKey) -> ReadIndex {
        let group = self.group.id();
        if leader == self.inner.me {
            return self.inner.read_index_here(group).await;
        }
        let (tell, told) = oneshot::channel();
        match self.ask(leader, Answer::Index(tell), told, |id| MachineWord::Read { group, id }).await {
            Asked::Answered(index) => index,
            Asked::NotSent | Asked::NotAnswered => None,
        }
    }

    async fn ask<T>(
        &self,
        leader: NodeKey,
        answer: Answer,
        told: oneshot::Receiver<T>,
        word: impl FnOnce(u64) -> MachineWord,
    ) -> Asked<T> {
        let machines = &self.inner.machines;
        let id = machines.wait(Waiting { from: leader, answer });
        if !self.inner.say_to_machine(leader, &word(id)) {
            machines.forget(id);
            return Asked::NotSent;
        }
        let answered = timeout(ATTEMPT_MAX, told).await;
        machines.forget(id);
        answered.ok().and_then(Result::ok).map_or(Asked::NotAnswered, Asked::Answered)
    }

    /// Numbers a command.
    fn number(&self) -> Numbered<'_> {
        let mut requests = self.requests.lock();
        let sequence = requests.next;
        requests.next += 1;
        requests.open.insert(sequence);
        let session = SessionId { origin: self.inner.router.origin(), entity_type: tag(&self.name), shard: 0 };
        Numbered { requests: &self.requests, id: RequestId { session, sequence } }
    }
}

enum Asked<T> {
    Answered(T),
    NotAnswered,
    NotSent,
}

/// A command of this node with its number. When it is dropped, its answer is not waited for any more.
struct Numbered<'a> {
    requests: &'a Mutex<Requests>,
    id: RequestId,
}

impl Numbered<'_> {
    fn id(&self) -> RequestId {
        self.id
    }

    /// Everything below is answered or given up.
    fn floor(&self) -> u64 {
        self.requests.lock().open.first().copied().unwrap_or(self.id.sequence)
    }
}

impl Drop for Numbered<'_> {
    fn drop(&mut self) {
        self.requests.lock().open.remove(&self.id.sequence);
    }
}

impl<M> Clone for Replicated<M> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<M> fmt::Debug for Replicated<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replicated")
            .field("name", &self.shared.name)
            .field("leader", &self.leader_id())
            .finish_non_exhaustive()
    }
}
