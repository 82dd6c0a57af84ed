//! The way of a proposal to the meta group, from whichever node, and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::control::Control;
use super::inner::Inner;
use super::meta::{Command, Verdict};
use crate::base::{Backoff, GroupId, NodeKey};

/// How long one attempt may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(1);

/// Proposals of other nodes that are being decided at one time. More have to come again.
const DECISIONS_MAX: usize = 64;

/// What a node has under way with the meta group.
pub(super) struct Proposals {
    waiting: Mutex<BTreeMap<u64, oneshot::Sender<Verdict>>>,
    next: AtomicU64,
    /// Decisions that other nodes wait for.
    decisions: Arc<Semaphore>,
}

impl Proposals {
    /// Counts from `first` on.
    pub(super) fn counting_from(first: u64) -> Self {
        let decisions = Arc::new(Semaphore::new(DECISIONS_MAX));
        Self { waiting: Mutex::default(), next: AtomicU64::new(first), decisions }
    }
}

/// However the wait for a decision ends, nothing is kept of it.
struct Forget<'a> {
    proposals: &'a Proposals,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.proposals.waiting.lock().remove(&self.id);
    }
}

impl Inner {
    /// Has the meta group decide, and tries again until it has, or until the deadline: `None`.
    pub(super) async fn agree(&self, command: &Command, deadline: Instant) -> Option<Verdict> {
        let mut rng = StdRng::seed_from_u64(self.me.0);
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(200));
        while Instant::now() < deadline {
            match timeout_at(deadline, self.propose(command)).await.ok()? {
                Verdict::Again => sleep(backoff.next_delay(&mut rng)).await,
                verdict => return Some(verdict),
            }
        }
        None
    }

    /// Asks the leader of the meta group once. What is not answered may be decided all the same.
    pub(super) async fn propose(&self, command: &Command) -> Verdict {
        let Some(leader) = self.router.leader(GroupId::META) else { return Verdict::Again };
        if leader.leader.node == self.me {
            return self.decide(command).await;
        }
        let proposals = &self.proposals;
        let (id, (answer, verdict)) = (proposals.next.fetch_add(1, Ordering::Relaxed), oneshot::channel());
        proposals.waiting.lock().insert(id, answer);
        let _forgotten = Forget { proposals, id };
        let sent = self.control(leader.leader.node, &Control::Propose { id, command: command.clone() });
        let verdict = if sent { timeout(ATTEMPT_MAX, verdict).await.ok().and_then(Result::ok) } else { None };
        verdict.unwrap_or(Verdict::Again)
    }

    /// Has the meta group decide, if this node leads it.
    async fn decide(&self, command: &Command) -> Verdict {
        let Some(group) = self.host.group(GroupId::META) else { return Verdict::Again };
        let Ok(command) = crate::codec::encode(command) else { return Verdict::Again };
        let decided = group.write(command.into()).await.ok();
        decided.and_then(|output| crate::codec::decode(&output).ok()).unwrap_or(Verdict::Again)
    }

    /// Another node proposes something.
    pub(super) fn proposed(self: &Arc<Self>, from: NodeKey, id: u64, command: Command) {
        let Ok(permit) = self.proposals.decisions.clone().try_acquire_owned() else {
            self.control(from, &Control::Decided { id, verdict: Verdict::Again });
            return;
        };
        let inner = self.clone();
        self.spawn(async move {
            let verdict = inner.decide(&command).await;
            inner.control(from, &Control::Decided { id, verdict });
            drop(permit);
        });
    }

    /// What this node proposed is decided.
    pub(super) fn decided(&self, id: u64, verdict: Verdict) {
        if let Some(waiting) = self.proposals.waiting.lock().remove(&id) {
            // Who asked may have given up.
            let _ = waiting.send(verdict);
        }
    }
}
