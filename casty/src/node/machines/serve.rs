//! A node's part in the machines: it answers those who ask its copies, and looks after what the copies keep.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::adapter::{AnyCopy, Entry};
use super::{Applied, MachineWord, ReadIndex};
use crate::base::{GroupId, NodeKey};
use crate::cluster::Lane;
use crate::codec::{decode, encode};
use crate::node::inner::Inner;
use crate::node::meta::Topology;
use crate::raft::{Group, ProposeError};
use crate::sharding::Expiry;
use crate::wire::Kind;

/// Requests of other nodes that are being served at one time. More have to come again.
const SERVED_MAX: usize = 4_096;

/// How often a leader looks for senders that are gone.
const EXPIRY_PERIOD: Duration = Duration::from_secs(10);

/// The machines of a node.
pub(in crate::node) struct Machines {
    copies: Mutex<BTreeMap<GroupId, AnyMachine>>,
    /// What the program has of each, by name.
    handles: Mutex<BTreeMap<String, Arc<dyn Any + Send + Sync>>>,
    starting: Mutex<BTreeSet<String>>,
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    next: AtomicU64,
    served: Arc<Semaphore>,
}

/// One machine of a node, whatever it is.
#[derive(Clone)]
pub(in crate::node) struct AnyMachine {
    pub(super) group: Arc<Group>,
    pub(super) copy: Arc<dyn AnyCopy>,
}

/// Who waits for a word of another node, and which node that is.
pub(super) struct Waiting {
    pub(super) from: NodeKey,
    pub(super) answer: Answer,
}

/// What is waited for.
pub(super) enum Answer {
    Applied(oneshot::Sender<Applied>),
    Index(oneshot::Sender<ReadIndex>),
}

impl Machines {
    /// Counts attempts and questions from `first` on.
    pub(in crate::node) fn counting_from(first: u64) -> Self {
        Self {
            copies: Mutex::default(),
            handles: Mutex::default(),
            starting: Mutex::default(),
            waiting: Mutex::default(),
            next: AtomicU64::new(first),
            served: Arc::new(Semaphore::new(SERVED_MAX)),
        }
    }

    /// What this node's program holds of the machine of this name, if it has started it.
    pub(super) fn handle(&self, name: &str) -> Option<Arc<dyn Any + Send + Sync>> {
        self.handles.lock().get(name).cloned()
    }

    /// The program starts a machine. False if it is about to start one of this name.
    pub(super) fn begin(&self, name: &str) -> bool {
        self.starting.lock().insert(name.to_owned())
    }

    /// The number of the next attempt to start a machine.
    pub(super) fn next_attempt(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The start of a machine has ended, one way or the other.
    pub(super) fn started(&self, name: &str) {
        self.starting.lock().remove(name);
    }

    /// What the program has of a machine from now on.
    pub(super) fn keep(&self, name: &str, handle: Arc<dyn Any + Send + Sync>) {
        self.handles.lock().insert(name.to_owned(), handle);
    }

    pub(super) fn remove(&self, group: GroupId) {
        self.copies.lock().remove(&group);
    }

    pub(super) fn insert(&self, machine: AnyMachine) {
        self.copies.lock().insert(machine.group.id(), machine);
    }

    /// A number under which `waiting` is told.
    pub(super) fn wait(&self, waiting: Waiting) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.lock().insert(id, waiting);
        id
    }

    /// Nobody waits any more.
    pub(super) fn forget(&self, id: u64) {
        self.waiting.lock().remove(&id);
    }

    /// A node is out of reach: whoever waits for its word asks again.
    pub(in crate::node) fn peer_lost(&self, peer: NodeKey) {
        self.waiting.lock().retain(|_, waiting| waiting.from != peer);
    }

    fn get(&self, group: GroupId) -> Option<AnyMachine> {
        self.copies.lock().get(&group).cloned()
    }
}

impl Inner {
    /// Closes the groups in which machines were to begin that begin elsewhere: nothing was applied there.
    pub(in crate::node) async fn close_machines_elsewhere(&self, topology: &Topology) {
        let open: Vec<_> = self.machines.copies.lock().keys().copied().collect();
        for group in open.into_iter().filter(|group| topology.followers(*group).is_none()) {
            self.machines.remove(group);
            self.host.close(group).await;
        }
    }

    /// A word about a machine came from another node.
    pub(in crate::node) fn machine_word(self: &Arc<Self>, from: NodeKey, word: MachineWord) {
        match word {
            MachineWord::Apply { group, id, entry } => {
                let inner = self.clone();
                self.serve(
                    from,
                    async move { MachineWord::Applied { id, applied: inner.apply_here(group, entry).await } },
                );
            }
            MachineWord::Read { group, id } => {
                let inner = self.clone();
                self.serve(
                    from,
                    async move { MachineWord::ReadFrom { id, index: inner.read_index_here(group).await } },
                );
            }
            MachineWord::Applied { id, applied } => {
                if let Some(Answer::Applied(waiting)) = self.machines_waiting(from, id) {
                    // Who asked may have given up.
                    let _ = waiting.send(applied);
                }
            }
            MachineWord::ReadFrom { id, index } => {
                if let Some(Answer::Index(waiting)) = self.machines_waiting(from, id) {
                    let _ = waiting.send(index);
                }
            }
        }
    }

    /// Answers in a task of its own, unless there are too many: whoever asked asks again.
    fn serve(self: &Arc<Self>, from: NodeKey, answer: impl Future<Output = MachineWord> + Send + 'static) {
        let Ok(permit) = self.machines.served.clone().try_acquire_owned() else { return };
        let inner = self.clone();
        self.spawn(async move {
            let word = answer.await;
            inner.say_to_machine(from, &word);
            drop(permit);
        });
    }

    fn machines_waiting(&self, from: NodeKey, id: u64) -> Option<Answer> {
        let mut waiting = self.machines.waiting.lock();
        let asked = waiting.get(&id).is_some_and(|waiting| waiting.from == from);
        if asked { waiting.remove(&id).map(|waiting| waiting.answer) } else { None }
    }

    /// Sends a word about a machine. `false`: it did not leave.
    pub(super) fn say_to_machine(&self, to: NodeKey, word: &MachineWord) -> bool {
        let Ok(bytes) = encode(word) else { return false };
        self.links.send(to, Lane::Bulk, Kind::MACHINE, &mut |out| out.extend_from_slice(&bytes))
    }

    /// Applies an entry, if this node leads the group.
    pub(super) async fn apply_here(&self, group: GroupId, entry: Bytes) -> Applied {
        let Some(machine) = self.machines.get(group) else { return Applied::NotProposed };
        // Before, the machine may still be given another group, and what this one applied would be lost.
        if !self.topology().is_some_and(|topology| topology.has_begun(group)) {
            return Applied::NotProposed;
        }
        if machine.group.is_full() {
            return Applied::NotProposed;
        }
        if !machine.copy.reads(&entry) {
            return Applied::Unreadable;
        }
        match machine.group.write(entry).await {
            Ok(applied) => decode(&applied).unwrap_or(Applied::Lost),
            Err(ProposeError::NotProposed { .. }) => Applied::NotProposed,
            Err(ProposeError::Lost { .. }) => Applied::Lost,
        }
    }

    /// Up to where a copy has to be for a read that begins now, if this node leads the group.
    pub(super) async fn read_index_here(&self, group: GroupId) -> ReadIndex {
        let machine = self.machines.get(group)?;
        let leader = machine.group.leadership().borrow().ours?;
        machine.group.confirm(leader).await.ok()?;
        Some(machine.copy.applied())
    }

    /// Has the machines that this node leads forget the answers for senders that are gone, for as long as the node runs.
    pub(in crate::node) async fn expire_machine_senders(self: Arc<Self>) {
        let mut period = interval(EXPIRY_PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut expiries = BTreeMap::<GroupId, Expiry>::new();
        loop {
            period.tick().await;
            let machines: Vec<_> = self.machines.copies.lock().values().cloned().collect();
            for AnyMachine { group, copy, .. } in machines {
                let expiry = expiries.entry(group.id()).or_default();
                let Some(leader) = group.leadership().borrow().ours else {
                    expiry.clear();
                    continue;
                };
                for origin in expiry.overdue(&copy.origins(), &self.origins.live(), Instant::now()) {
                    if let Ok(entry) = encode(&Entry::Expire { origin }) {
                        group.propose(leader, entry.into(), Box::new(|_| {}));
                    }
                }
            }
        }
    }
}
