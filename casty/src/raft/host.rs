//! All groups of one node.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::engine::{Engine, Mesh};
use super::{Group, Links, Machine, RaftError, RaftSettings, elections};
use crate::base::{GroupId, NodeKey, StableMap};
use crate::storage::{LogPosition, LogStore, Vote, durably};

/// All groups of one node. They share the connections to the peers.
///
/// A host must be [shut down](Host::shutdown): dropping it leaves its groups running.
pub struct Host {
    me: NodeKey,
    settings: RaftSettings,
    links: Arc<dyn Links>,
    mesh: Arc<Mesh>,
    groups: Mutex<StableMap<GroupId, Arc<Group>>>,
    /// What binds this node in closed groups, if it comes back to them without the log that it had.
    pledges: Mutex<StableMap<GroupId, Pledge>>,
    /// Held while a group is opened, which takes a moment, so that none is opened twice. True once none is opened any more.
    opening: tokio::sync::Mutex<bool>,
}

impl Host {
    /// A host without groups.
    pub fn new(me: NodeKey, links: Arc<dyn Links>, settings: RaftSettings) -> Arc<Self> {
        let mesh = Mesh::new(me, links.clone(), settings.clone());
        Arc::new(Self {
            me,
            settings,
            links,
            mesh,
            groups: Mutex::default(),
            pledges: Mutex::default(),
            opening: Default::default(),
        })
    }

    /// Starts a group with what its log holds, and with the snapshot that stands before the log if it keeps one; the
    /// machine must be as new. A group that has no log begins with these voters, each of which names the same; without any
    /// it waits for a leader that appends to it. Tasks of the group run on the runtime of the caller.
    pub async fn open(
        &self,
        id: GroupId,
        log: Arc<dyn LogStore>,
        machine: Box<dyn Machine>,
        voters: &[NodeKey],
    ) -> Result<Arc<Group>, RaftError> {
        let shut = self.opening.lock().await;
        if *shut {
            return Err(RaftError::Stopped { group: id, why: "its node is shutting down".to_owned() });
        }
        if self.group(id).is_some() {
            return Err(RaftError::AlreadyOpen { group: id });
        }
        let forgotten = self.recall(id, &*log).await.map_err(|source| RaftError::Store { group: id, source })?;
        let engine = Engine::start(&self.mesh, id, log.clone(), machine, voters, forgotten).await?;
        let group = Arc::new(Group::new(id, engine, log, self.settings.clone()));
        self.groups.lock().insert(id, group.clone());
        Ok(group)
    }

    /// The key of this node.
    pub fn me(&self) -> NodeKey {
        self.me
    }

    /// An open group.
    pub fn group(&self, id: GroupId) -> Option<Arc<Group>> {
        self.groups.lock().get(&id).cloned()
    }

    /// All open groups, by their ids.
    pub fn groups(&self) -> Vec<Arc<Group>> {
        let mut groups: Vec<_> = self.groups.lock().values().cloned().collect();
        groups.sort_by_key(|group| group.id());
        groups
    }

    /// Takes a frame that another host's [`Links::send`] encoded. It returns at once; bytes that are no frame are
    /// dropped and logged.
    pub fn receive(&self, from: NodeKey, body: Bytes) {
        self.mesh.receive(from, body);
    }

    /// The connection to a peer broke: what waits for its answer fails now, and groups that it led look for another
    /// leader as soon as its lease has run out.
    pub fn link_down(&self, peer: NodeKey) {
        self.mesh.link_down(peer);
        let Some(runtime) = self.mesh.runtime() else { return };
        for group in self.groups() {
            let led = group.engine().pulse().view().leader.is_some_and(|leader| leader.node == peer);
            if !led || !group.begin_succession() {
                continue;
            }
            let (settings, links) = (self.settings.clone(), self.links.clone());
            let seed = self.settings.seed ^ self.me.0 ^ u64::from(group.id().0);
            runtime.spawn(async move {
                elections::succeed(group.engine().clone(), peer, settings, links.as_ref(), seed).await;
                group.end_succession();
            });
        }
    }

    /// Stops one group and forgets it. What was proposed and not applied is lost.
    pub async fn close(&self, id: GroupId) {
        let _one_at_a_time = self.opening.lock().await;
        let Some(group) = self.groups.lock().remove(&id) else { return };
        self.mesh.remove(id);
        group.stop().await;
        if let Ok(Pledge { vote, last }) = Pledge::of(group.log()) {
            let mut pledges = self.pledges.lock();
            // A log that has nothing yet may have come after one that had much.
            let before = pledges.get(&id).and_then(|before| before.last);
            pledges.insert(id, Pledge { vote, last: last.max(before) });
        }
    }

    /// Stops all groups.
    pub async fn shutdown(&self) {
        *self.opening.lock().await = true;
        for group in self.groups() {
            self.close(group.id()).await;
        }
        self.mesh.clear();
    }

    /// Writes the vote that this node gave in an earlier part in the group into a log that has none. Returns where the log of
    /// that part ended, if it is gone.
    async fn recall(&self, id: GroupId, log: &dyn LogStore) -> io::Result<Option<LogPosition>> {
        let known = self.pledges.lock().get(&id).copied();
        let forgotten = log.forgotten()?;
        let Some(Pledge { vote: Some(vote), last }) = known.filter(|_| matches!(log.vote(), Ok(None))) else {
            return Ok(forgotten);
        };
        durably(|done| log.save_vote(vote, done)).await?;
        Ok(forgotten.max(last))
    }
}

/// What a voter stands by.
#[derive(Clone, Copy)]
struct Pledge {
    /// It does not vote again in a term in which it has voted.
    vote: Option<Vote>,
    /// It votes for nobody whose log ends before this, since it has acknowledged what came until there.
    last: Option<LogPosition>,
}

impl Pledge {
    fn of(log: &dyn LogStore) -> io::Result<Self> {
        Ok(Self { vote: log.vote()?, last: log.bounds()?.last.max(log.forgotten()?) })
    }
}
