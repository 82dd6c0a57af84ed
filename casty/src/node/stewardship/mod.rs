//! What the leader of a group does for it, and the leader of the meta group for all: the groups come to be where they
//! should, and the cluster to have the nodes that are there.
//!
//! Pure functions say what is to be done next ([`next`] for one group, [`plan`](self::plan) for the cluster, and
//! [`rebalance`](crate::sharding::allocation::rebalance) for the placements); this is the task that carries it out.

mod next;
mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use self::next::{Step, Wanted, next};
use self::plan::{Sight, plan};
use super::NotReady;
use super::control::Control;
use super::inner::Inner;
use super::meta::{Command, Topology, Verdict};
use crate::base::{GroupId, NodeKey};
use crate::cluster::Member;
use crate::raft::{Group, RosterChange};

/// How often a steward looks while something is under way.
const BUSY_PERIOD: Duration = Duration::from_millis(20);

/// How often it looks otherwise. What is agreed on wakes it, so this is for leaderships that have moved.
const CALM_PERIOD: Duration = Duration::from_millis(250);

/// How long a step may take before it is looked at anew.
const STEP_MAX: Duration = Duration::from_secs(5);

/// A node whose disk has no room hands over what it leads after so long: it knows by then whose disks have none either. Who
/// cannot store a vote cannot be elected.
const FULL_PATIENCE: Duration = Duration::from_secs(3);

/// After a leadership was to move, the group is left in peace for so long.
const HAND_OVER_PAUSE: Duration = Duration::from_secs(1);

/// What a node's steward remembers.
#[derive(Default)]
pub(super) struct Stewardship {
    wake: Notify,
    under_way: Mutex<UnderWay>,
    /// The nodes whose programs lack an entity type of the cluster, or whose disks have no room.
    unfit: Mutex<BTreeSet<NodeKey>>,
}

#[derive(Default)]
struct UnderWay {
    /// Groups of which a step is being carried out.
    groups: BTreeSet<GroupId>,
    /// Groups whose leadership was to move, and when they may be asked again.
    rests: BTreeMap<GroupId, Instant>,
    /// Proposals for the cluster are being decided.
    plan: bool,
    /// Since when the disk of this node has had no room.
    full_since: Option<Instant>,
    /// Members that are not in sight, and since when. Empty on a node that does not lead the meta group.
    absent: BTreeMap<NodeKey, Instant>,
}

impl Stewardship {
    /// A node says whether others should lead in its place.
    pub(super) fn learn(&self, node: NodeKey, is_unfit: bool) {
        let mut unfit = self.unfit.lock();
        if is_unfit {
            unfit.insert(node)
        } else {
            unfit.remove(&node)
        };
    }

    /// A node is gone.
    pub(super) fn forget(&self, node: NodeKey) {
        self.unfit.lock().remove(&node);
        self.wake.notify_one();
    }

    /// Something has changed that may ask for a step.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Inner {
    /// Looks after the groups that this node leads for as long as it runs.
    pub(super) async fn tend(self: Arc<Self>) {
        let mut agreed = self.watch_topology();
        loop {
            let topology = agreed.borrow_and_update().clone();
            let busy = topology.is_some_and(|topology| self.tend_all(&topology));
            tokio::select! {
                _ = agreed.changed() => {}
                () = self.stewardship.wake.notified() => {}
                () = sleep(if busy { BUSY_PERIOD } else { CALM_PERIOD }) => {}
            }
        }
    }

    /// Takes the next step of every group that this node leads. Whether there is more to do.
    fn tend_all(self: &Arc<Self>, topology: &Arc<Topology>) -> bool {
        let mut busy = false;
        let full = self.stores.is_full();
        let mut under_way = self.stewardship.under_way.lock();
        under_way.full_since = full.then(|| under_way.full_since.unwrap_or_else(Instant::now));
        drop(under_way);
        for group in self.host.groups() {
            // One that was closed meanwhile is no longer the host's.
            let failure = group.failure().filter(|_| self.host.group(group.id()).is_some());
            if let Some(error) = failure {
                // It looks well to the others, and holds nothing up to date: better that it is replaced.
                tracing::error!(group = %group.id(), %error, "a group has stopped; this life of the node is over");
                self.end(NotReady::GroupFailed);
                return false;
            }
            let ours = group.leadership().borrow().ours.is_some();
            if !ours {
                continue;
            }
            busy |= self.tend_group(topology, &group);
        }
        if self.leads_meta() {
            busy |= self.tend_cluster(topology);
        } else {
            self.stewardship.under_way.lock().absent.clear();
        }
        busy
    }

    fn tend_group(self: &Arc<Self>, topology: &Topology, group: &Arc<Group>) -> bool {
        let id = group.id();
        let Some(placement) = topology.placements().get(&id) else { return false };
        let voters = placement.replicas.clone();
        let followers = topology.followers(id).unwrap_or_default();
        let learners = followers.into_iter().filter(|node| !voters.contains(node)).collect();
        let wanted = Wanted { learners, settled: placement.is_settled() && topology.has_begun(id), voters };
        let unfit = self.stewardship.unfit.lock().clone();
        let reaches = |node| self.links.cluster().is_some_and(|cluster| cluster.is_linked(node));
        let is_unfit =
            self.stewardship.under_way.lock().full_since.is_some_and(|since| since.elapsed() >= FULL_PATIENCE);
        let may_lead = |node| if node == self.me { !is_unfit } else { !unfit.contains(&node) };
        let sight = next::Sight { me: self.me, reaches: &reaches, may_lead: &may_lead };
        let Some(step) = next(&sight, &group.roster(), &wanted) else { return !wanted.settled };
        let epoch = placement.epoch;
        let mut under_way = self.stewardship.under_way.lock();
        let now = Instant::now();
        let rests = under_way.rests.get(&id).is_some_and(|until| now < *until);
        if rests && matches!(step, Step::HandOver(_)) {
            return !wanted.settled;
        }
        if under_way.groups.insert(id) {
            if matches!(step, Step::HandOver(_)) {
                under_way.rests.insert(id, now + HAND_OVER_PAUSE);
            }
            let (inner, group) = (self.clone(), group.clone());
            self.spawn(async move {
                if timeout(STEP_MAX, inner.take_step(&group, epoch, step.clone())).await.is_err() {
                    tracing::debug!(group = %id, ?step, "a step of a group's membership was not done in time");
                }
                inner.stewardship.under_way.lock().groups.remove(&id);
                inner.stewardship.wake();
            });
        }
        true
    }

    async fn take_step(&self, group: &Group, epoch: u64, step: Step) {
        let id = group.id();
        tracing::debug!(group = %id, ?step, "a step of a group's membership");
        let done = match step {
            // A leader that has not heard of the latest placement would undo what another has done for it.
            Step::Change(change) => {
                let check = Command::Check { group: id, epoch };
                match self.agree(&check, Instant::now() + STEP_MAX).await {
                    Some(Verdict::Agreed) if could_end(group, &change).await => group.change(change).await,
                    _ => Ok(()),
                }
            }
            Step::HandOver(to) => group.transfer(to).await,
            Step::Settle => {
                self.agree(&Command::Settle { group: id, epoch }, Instant::now() + STEP_MAX).await;
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::debug!(group = %id, %error, "a step of a group's membership failed, and is tried again");
        }
        // Whatever the step came to, the next look may find the same to do.
        sleep(BUSY_PERIOD).await;
    }

    /// Has the meta group decide what comes next for the cluster, at its leader. Whether there is more to do.
    fn tend_cluster(self: &Arc<Self>, topology: &Arc<Topology>) -> bool {
        let now = Instant::now();
        let members = self.links.cluster().map(|cluster| cluster.members()).unwrap_or_default();
        self.tell_the_over(topology, &members);
        let mut under_way = self.stewardship.under_way.lock();
        let in_sight: BTreeSet<NodeKey> = members.iter().map(|member| member.key).collect();
        under_way.absent.retain(|node, _| topology.nodes().contains_key(node) && !in_sight.contains(node));
        for node in topology.nodes().keys().filter(|node| !in_sight.contains(node)) {
            under_way.absent.entry(*node).or_insert(now);
        }
        let belongs = |member: &Member| self.origins.is_known(member.key);
        let newcomers = members.into_iter().filter(|member| belongs(member) || member.key == self.me).collect();
        let sight = Sight { members: newcomers, in_sight, absent: under_way.absent.clone(), now };
        let commands = plan(topology, &sight, self.remove_after);
        if commands.is_empty() || std::mem::replace(&mut under_way.plan, true) {
            return !commands.is_empty();
        }
        let inner = self.clone();
        self.spawn(async move {
            for command in commands {
                tracing::info!(?command, "a decision for the cluster");
                inner.propose(&command).await;
            }
            sleep(BUSY_PERIOD).await;
            inner.stewardship.under_way.lock().plan = false;
            inner.stewardship.wake();
        });
        true
    }

    /// Tells members whose life is over: they follow the meta group no more and would not hear of it.
    fn tell_the_over(&self, topology: &Topology, members: &[Member]) {
        for member in members.iter().filter(|member| topology.is_over(&member.id, member.incarnation)) {
            self.control(member.key, &Control::Over { incarnation: member.incarnation });
        }
    }
}

/// Whether those who are to vote answer now, after it was decided: a change that was begun cannot be taken back.
async fn could_end(group: &Group, change: &RosterChange) -> bool {
    match change {
        RosterChange::Vote(voters) => group.reaches_majority_of(voters).await,
        RosterChange::Learn(_) | RosterChange::Forget(_) => true,
    }
}
