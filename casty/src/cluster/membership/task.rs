//! The one task that owns foca: it feeds it with packets and timers, and carries out what it wants.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use foca::{AccumulatingRuntime, Error, Foca, NoCustomBroadcast, OwnedNotification, Timer};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::codec::{GossipCodec, Sight};
use super::config::{ANNOUNCE_TO, config};
use super::timers::Timers;
use super::view::{gone, joined, sorted};
use crate::cluster::mesh::Mesh;
use crate::cluster::{Lane, PeerEvent};
use crate::wire::{Kind, Member};

/// Packets that are looked at before the timers have their turn. A node that was held up finds answers to its probes
/// in the queue: they are read before a timer can declare that they did not come.
const PACKETS_A_TURN: usize = 256;

/// What the membership task is told.
pub(crate) enum Input {
    /// A packet came on the link with a peer.
    Packet(Bytes),
    /// The link with a peer is usable.
    LinkUp(Member),
    /// This node leaves: tell the others, and then the caller.
    Leave(oneshot::Sender<()>),
}

/// The state of the membership task.
pub(crate) struct Membership {
    mesh: Arc<Mesh>,
    foca: Foca<Member, GossipCodec, StdRng, NoCustomBroadcast>,
    wants: AccumulatingRuntime<Member>,
    timers: Timers,
    sight: Arc<Mutex<Sight>>,
    rng: StdRng,
    announce_at: Instant,
}

impl Membership {
    pub(crate) fn new(mesh: Arc<Mesh>) -> Self {
        let sight = Arc::<Mutex<Sight>>::default();
        let codec = GossipCodec::new(mesh.me.clone(), sight.clone());
        let foca = Foca::new(mesh.me.clone(), config(&mesh.timings), mesh.rng(b"gossip"), codec);
        Self {
            foca,
            wants: AccumulatingRuntime::new(),
            timers: Timers::default(),
            sight,
            rng: mesh.rng(b"announce"),
            announce_at: Instant::now() + mesh.timings.announce_every,
            mesh,
        }
    }

    /// Runs until this node leaves.
    pub(crate) async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        loop {
            let wake_at = self.timers.next_at().map_or(self.announce_at, |at| at.min(self.announce_at));
            let mut input = tokio::select! {
                input = inputs.recv() => input,
                () = sleep_until(wake_at) => inputs.try_recv().ok(),
            };
            let mut left = PACKETS_A_TURN;
            while let Some(next) = input {
                if let Input::Leave(done) = next {
                    return self.leave(done);
                }
                self.take(next);
                left -= 1;
                input = if left > 0 { inputs.try_recv().ok() } else { None };
            }
            self.fire_timers();
        }
    }

    fn take(&mut self, input: Input) {
        let result = match input {
            Input::Packet(packet) => self.foca.handle_data(&packet, &mut self.wants),
            Input::LinkUp(peer) if self.is_active(&peer) => Ok(()),
            Input::LinkUp(peer) => self.foca.announce(peer, &mut self.wants),
            Input::Leave(_) => Ok(()),
        };
        self.settle(result);
    }

    fn fire_timers(&mut self) {
        let now = Instant::now();
        while let Some(timer) = self.timers.pop_due(now) {
            if let Timer::RemoveDown(member) = &timer {
                self.sight.lock().known.remove(&member.id);
            }
            let result = self.foca.handle_timer(timer, &mut self.wants);
            self.settle(result);
        }
        if now >= self.announce_at {
            self.announce_at = now + self.mesh.timings.announce_every;
            self.announce_to_seeds();
        }
    }

    /// Asks two seeds for the others, whatever is believed of the seeds.
    fn announce_to_seeds(&mut self) {
        let mut seeds = self.mesh.seeds.met();
        seeds.retain(|seed| self.mesh.links.is_open(seed.key));
        for seed in seeds.into_iter().sample(&mut self.rng, ANNOUNCE_TO) {
            let result = self.foca.announce(seed, &mut self.wants);
            self.settle(result);
        }
    }

    fn leave(mut self, done: oneshot::Sender<()>) {
        let result = self.foca.leave_cluster(&mut self.wants);
        self.settle(result);
        // Nobody waits any more when the caller gave up.
        let _ = done.send(());
    }

    /// Carries out what foca wants after one step.
    fn settle(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.mesh.gossip_errors.fetch_add(1, Ordering::Relaxed);
            self.mesh.noted.failure("membership", "a step of the membership protocol failed", &error);
        }
        let now = Instant::now();
        while let Some((after, timer)) = self.wants.to_schedule() {
            self.timers.set(now, after, timer);
        }
        while let Some((to, packet)) = self.wants.to_send() {
            let sent = self.mesh.links.send(to.key, Lane::Control, Kind::GOSSIP, |out| out.extend_from_slice(&packet));
            if let Err(error) = sent {
                tracing::trace!(peer = %to, %error, "a packet of the membership protocol was not sent");
            }
        }
        let mut changed = false;
        while let Some(notification) = self.wants.to_notify() {
            changed |= self.is_change(&notification);
        }
        if changed {
            self.publish();
        }
        let (newer, said_alive) = {
            let mut sight = self.sight.lock();
            (sight.newer_me.take(), std::mem::take(&mut sight.said_alive))
        };
        if let Some(newer) = newer {
            self.mesh.supersede(&newer);
        }
        self.look_for(said_alive);
    }

    /// Dials those that others say are alive, and this node does not. Two that have declared each other down do not hear of
    /// it from those who were not there: only a link between them lets each tell the other, and come back.
    fn look_for(&self, said_alive: Vec<Member>) {
        let missed = said_alive.into_iter().filter(|member| member.id != self.mesh.me.id && !self.is_active(member));
        for member in missed {
            self.mesh.with_peers(|peers| peers.introduce(member, Instant::now()));
        }
    }

    fn is_change(&self, notification: &OwnedNotification<Member>) -> bool {
        match notification {
            OwnedNotification::Rejoin(me) => {
                tracing::warn!(%me, "this node was declared down, and came back; was it held up, or cut off?");
                false
            }
            OwnedNotification::Defunct | OwnedNotification::Active | OwnedNotification::Idle => false,
            _ => true,
        }
    }

    /// Tells the view to those who watch it, the changes to the layers above, and the members to those who keep links.
    fn publish(&self) {
        let mut alive: Vec<Member> = self.foca.iter_members().map(|member| member.id().clone()).collect();
        alive.push(self.mesh.me.clone());
        let after: Arc<[Member]> = sorted(alive).into();
        let before = self.mesh.view.send_replace(after.clone());
        self.mesh.with_peers(|peers| peers.set_alive(&after));
        for member in gone(&before, &after) {
            tracing::info!(%member, "member down");
            self.mesh.tell(PeerEvent::MemberDown(member.clone()));
        }
        for member in joined(&before, &after) {
            tracing::info!(%member, "member up");
            self.mesh.tell(PeerEvent::MemberUp(member.clone()));
        }
    }

    /// Whether the peer is a member, as it is now: another process may have gone on with its life.
    fn is_active(&self, peer: &Member) -> bool {
        self.foca.iter_members().any(|member| member.id().key == peer.key && member.id().bump >= peer.bump)
    }
}
