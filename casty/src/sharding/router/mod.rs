//! The way of requests out of this node: it finds the leader of an entity's group, bounds what is under way, and sends
//! again what a lost leader did not answer.

mod route;
mod session;
mod window;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::route::Route;
pub(super) use self::route::{Finished, NewRequest, Submit};
use super::protocol::{Announcement, Leading, ToRegion, ToRouter};
use super::{Post, Regions};
use crate::actor::{AskFailure, DeadReason, Env};
use crate::base::{GroupId, NodeKey, stable_hash_parts};
use crate::wire::Kind;

/// How often deadlines and silent leaders are looked at, while requests are under way.
const TICK: Duration = Duration::from_millis(10);

/// The bounds of a router.
#[derive(Clone, Debug)]
pub(crate) struct RouterSettings {
    /// The most requests under way to one group. One entity holds at most an eighth of them.
    pub(crate) window: usize,
    /// How long a group may be without a leader before its requests are given up.
    pub(crate) patience: Duration,
    /// The deadline of a request that names none.
    pub(crate) ask_timeout: Duration,
    /// Where the origins begin under which this process sends: beyond those of earlier ones of the same life.
    pub(crate) first_number: u64,
}

impl Default for RouterSettings {
    fn default() -> Self {
        Self { window: 2048, patience: Duration::from_secs(2), ask_timeout: Duration::from_secs(5), first_number: 0 }
    }
}

/// Routes the requests of this node to the groups of the cluster.
pub(crate) struct Router {
    pub(super) settings: RouterSettings,
    me: NodeKey,
    routes: OnceLock<Vec<Mutex<Route>>>,
    origin: AtomicU64,
    /// Under how many origins this life of the node has sent requests. Held while it is renewed.
    lives: Mutex<u64>,
    /// Why nothing is taken any more.
    closed: OnceLock<String>,
    env: Arc<Env>,
    /// Told when a group has another leader, or none.
    leaders: watch::Sender<()>,
    busy: Notify,
    way: Arc<Way>,
}

/// How frames leave: to a region of this node, or to a peer.
pub(super) struct Way {
    me: NodeKey,
    post: Arc<dyn Post>,
    regions: Arc<Regions>,
    counter: AtomicU64,
}

impl Way {
    /// Hands a frame to the region on `to`. `false` if it did not leave.
    pub(super) fn send(&self, to: NodeKey, frame: ToRegion) -> bool {
        if to == self.me {
            let Some(region) = self.regions.get(frame.group) else { return false };
            region.deliver(self.me, frame);
            return true;
        }
        self.post.post(to, Kind::ENTITY, &mut |out| frame.encode(out))
    }

    /// A number higher than every one before.
    pub(super) fn next_counter(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The origin number `number` of a life. The first is the life itself.
fn origin(me: NodeKey, number: u64) -> NodeKey {
    if number == 0 {
        return me;
    }
    NodeKey(stable_hash_parts(&[&me.0.to_le_bytes(), &number.to_le_bytes()]))
}

impl Router {
    /// A router that knows no groups yet.
    pub(crate) fn new(
        me: NodeKey,
        post: Arc<dyn Post>,
        regions: Arc<Regions>,
        settings: RouterSettings,
        env: Arc<Env>,
    ) -> Arc<Self> {
        let way = Arc::new(Way { me, post, regions, counter: AtomicU64::new(0) });
        let (routes, busy) = (OnceLock::new(), Notify::new());
        let lives = settings.first_number;
        let (origin, lives, closed) = (AtomicU64::new(origin(me, lives).0), Mutex::new(lives), OnceLock::new());
        let leaders = watch::Sender::new(());
        Arc::new(Self { settings, me, routes, origin, lives, closed, env, leaders, busy, way })
    }

    /// The cluster is known, and how many data groups it has.
    pub(crate) fn found(&self, groups: u16) {
        let route = |group| Mutex::new(Route::new(GroupId(group), self.origin(), &self.settings, Instant::now()));
        let _ = self.routes.set((0..=groups).map(route).collect());
    }

    /// The number of data groups; `None` until the cluster is known.
    pub(crate) fn groups(&self) -> Option<u16> {
        self.routes.get().map(|routes| (routes.len() - 1) as u16)
    }

    /// What the references of the node's system share.
    pub(super) fn env(&self) -> &Env {
        &self.env
    }

    /// Under which origin requests leave.
    pub(crate) fn origin(&self) -> NodeKey {
        NodeKey(self.origin.load(Ordering::Acquire))
    }

    /// The leader of a group whose region is open, as far as this node knows.
    pub(crate) fn leader(&self, group: GroupId) -> Option<Leading> {
        self.route(group).and_then(|route| route.leader())
    }

    /// The leaders of all groups, as far as this node knows.
    pub(crate) fn leaders(&self) -> Vec<Leading> {
        self.routes.get().into_iter().flatten().filter_map(|route| route.lock().leader()).collect()
    }

    /// Changes when a group has another leader, or none.
    pub(crate) fn watch_leaders(&self) -> watch::Receiver<()> {
        self.leaders.subscribe()
    }

    /// Takes a request, or makes it wait for a place.
    pub(super) fn submit(&self, group: GroupId, request: NewRequest, waker: Option<&Waker>) -> Submit {
        if let Some(why) = self.closed.get() {
            return Submit::Unavailable(request, why.clone());
        }
        let Some(mut route) = self.route(group) else {
            return Submit::Unavailable(request, "this node has not joined a cluster yet".to_owned());
        };
        let submit = route.submit(request, waker, &self.way);
        drop(route);
        self.busy.notify_one();
        submit
    }

    /// Looks again after a request that waits for a place. `true`: it has been taken.
    pub(super) fn poll_ticket(&self, group: GroupId, ticket: u64, waker: &Waker) -> bool {
        self.route(group).is_none_or(|mut route| route.window.poll(ticket, waker))
    }

    /// A request that waits is wanted no more. `true`: it will never be sent.
    pub(super) fn cancel(&self, group: GroupId, ticket: u64) -> bool {
        self.route(group).is_some_and(|mut route| route.window.cancel(ticket))
    }

    /// What a region on `from` says.
    pub(crate) fn receive(&self, from: NodeKey, group: GroupId, words: Vec<ToRouter>) {
        let mut finished = Vec::new();
        let (mut expired, mut changed) = (None, false);
        if let Some(mut route) = self.route(group) {
            let before = route.leader();
            for word in words {
                match word {
                    ToRouter::Answer { session, counter, sequence, outcome } => {
                        route.answer(session, counter, sequence, outcome, &mut finished);
                    }
                    ToRouter::Reopen { session, counter } => route.shut(session, counter),
                    ToRouter::Closed { epoch } => route.closed(from, epoch, Instant::now()),
                    ToRouter::Expired { origin } => expired = Some(origin),
                }
            }
            route.let_in(&self.way);
            changed = route.leader() != before;
        }
        self.note(changed);
        self.finish(finished);
        if let Some(origin) = expired {
            self.renew_origin(origin);
        }
    }

    /// A node says which groups it leads, or no longer.
    pub(crate) fn learn(&self, leading: &[Leading]) {
        let mut changed = false;
        for one in leading {
            if let Some(mut route) = self.route(one.group) {
                let before = route.leader();
                route.learn(*one, &self.way, Instant::now());
                changed |= route.leader() != before;
            }
        }
        self.note(changed);
    }

    /// The link with a node broke: what it was asked may be lost.
    pub(crate) fn peer_lost(&self, peer: NodeKey) {
        let mut changed = false;
        for route in self.routes.get().into_iter().flatten() {
            let mut route = route.lock();
            let before = route.leader();
            route.peer_lost(peer, Instant::now());
            changed |= route.leader() != before;
        }
        self.note(changed);
    }

    /// Gives up all that is under way, and takes no more.
    pub(crate) fn close(&self, why: &str) {
        // The first reason stands.
        let _ = self.closed.set(why.to_owned());
        let mut finished = Vec::new();
        for route in self.routes.get().into_iter().flatten() {
            route.lock().give_up(why, &mut finished);
        }
        self.finish(finished);
    }

    /// Whether it takes no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get().is_some()
    }

    /// What this router tells about itself.
    pub(crate) fn announcement(&self) -> Announcement {
        Announcement { origin: Some(self.origin()), ..Announcement::default() }
    }

    /// Looks at deadlines for as long as the node runs.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.busy.notified().await;
            while self.tick() {
                tokio::time::sleep(TICK).await;
            }
        }
    }

    /// Ends what is overdue. `true` if requests are under way.
    fn tick(&self) -> bool {
        let (now, mut busy, mut finished) = (Instant::now(), false, Vec::new());
        for route in self.routes.get().into_iter().flatten() {
            let mut route = route.lock();
            route.tick(now, &self.way, &mut finished);
            busy |= route.is_busy();
        }
        self.finish(finished);
        busy
    }

    /// The cluster refuses the origin `expired` for good: if it is still ours, give up what is under way, and go on
    /// under another.
    pub(crate) fn renew_origin(&self, expired: NodeKey) {
        let mut lives = self.lives.lock();
        if expired != self.origin() {
            return;
        }
        *lives += 1;
        let origin = origin(self.me, *lives);
        self.origin.store(origin.0, Ordering::Release);
        let mut finished = Vec::new();
        for route in self.routes.get().into_iter().flatten() {
            route.lock().renew(origin, &mut finished);
        }
        self.finish(finished);
    }

    /// Tells askers, with no lock held: they may run at once.
    fn finish(&self, finished: Vec<Finished>) {
        let _inside = self.env.enter();
        for Finished { reply, end, entity } in finished {
            match (reply, end) {
                (Some(reply), Ok(bytes)) => reply.complete(&bytes),
                (Some(reply), Err(failure)) => reply.fail(failure),
                (None, Ok(_)) => {}
                (None, Err(failure)) => {
                    let no_room = failure == AskFailure::MailboxFull;
                    let reason = if no_room { DeadReason::NoRoom } else { DeadReason::Unavailable };
                    self.env.dead_letters().record(reason, "a message to an entity", || entity.to_string());
                }
            }
        }
    }

    fn note(&self, changed: bool) {
        if changed {
            self.leaders.send_replace(());
        }
    }

    fn route(&self, group: GroupId) -> Option<MutexGuard<'_, Route>> {
        self.routes.get()?.get(usize::from(group.0)).map(Mutex::lock)
    }
}
