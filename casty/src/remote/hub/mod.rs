//! Everything between the actors of one node and those of others.

mod exchange;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::actor::remote::{Address, Entities, Exchange, Flowing, Parcel};
use crate::actor::{ActorSystem, AskFailure, DeadReason, Env};
use crate::base::{NodeKey, StableMap};
use crate::cluster::{PeerEvent, SendFailure};
use crate::codec::DecodeError;
use crate::remote::answers::{self, Backlog, post};
use crate::remote::asks::Asks;
use crate::remote::channel::Channel;
use crate::remote::exports::Exports;
use crate::remote::linked::{self, Ends, Linked};
use crate::remote::links::Links;
use crate::remote::protocol::{
    Call, Came, End, Head, Reason, Word, decode_answer, decode_call, decode_item, decode_published, decode_word,
};
use crate::remote::spawning::{self, Refusal};
use crate::remote::streams::Streams;
use crate::remote::topics::{self, Topics};
use crate::remote::watches::Watches;
use crate::wire::Kind;

/// Everything between the actors of one node and those of others.
pub(crate) struct Hub {
    me: NodeKey,
    env: Arc<Env>,
    /// Without keeping its actors from stopping.
    system: ActorSystem,
    links: Arc<dyn Links>,
    runtime: Handle,
    pub(in crate::remote) asks: Asks,
    pub(in crate::remote) exports: Exports,
    pub(in crate::remote) watches: Watches,
    pub(in crate::remote) linked: Linked,
    pub(in crate::remote) streams: Streams,
    pub(in crate::remote) topics: Topics,
    backlog: Backlog,
    /// Actors that are being made for other nodes.
    pub(in crate::remote) spawns: Arc<Semaphore>,
    /// One for each actor of another node that a reference leads to. A reference holds it.
    channels: RwLock<StableMap<(NodeKey, u64), Weak<Channel>>>,
    /// Where entities are found.
    entities: OnceLock<Arc<dyn Entities>>,
    /// The links for whose room a task waits.
    full: Mutex<BTreeSet<NodeKey>>,
    myself: Weak<Self>,
}

impl Hub {
    /// The hub of a node, for the references of its system. It is made within the node's runtime.
    pub(crate) fn new(me: NodeKey, links: Arc<dyn Links>, system: &ActorSystem) -> Arc<Self> {
        let env = system.env();
        let hub = Arc::new_cyclic(|myself| Self {
            me,
            env: Arc::clone(env),
            system: system.inner(),
            links,
            runtime: Handle::current(),
            asks: Asks::counting_from(system.first_number()),
            exports: Exports::default(),
            watches: Watches::default(),
            linked: Linked::default(),
            streams: Streams::counting_from(system.first_number()),
            topics: Topics::default(),
            backlog: Backlog::default(),
            spawns: Arc::new(Semaphore::new(spawning::SPAWNS_MAX)),
            channels: RwLock::default(),
            entities: OnceLock::new(),
            full: Mutex::default(),
            myself: Weak::clone(myself),
        });
        let exchange: Weak<dyn Exchange> = hub.myself.clone();
        env.join(exchange);
        hub
    }

    /// References to entities lead there. The first one stands.
    pub(crate) fn find_entities(&self, entities: Arc<dyn Entities>) {
        let _ = self.entities.set(entities);
    }

    /// A frame came. One that cannot be read is an error, and nothing comes of it.
    pub(crate) fn frame(self: &Arc<Self>, from: NodeKey, kind: Kind, body: &Bytes) -> Result<(), DecodeError> {
        match kind {
            Kind::CALL => self.called(from, decode_call(body)?),
            Kind::ANSWER => {
                let (ask, came) = decode_answer(body)?;
                self.answered(from, ask, came);
            }
            Kind::ITEM => {
                let (stream, item) = decode_item(body)?;
                // Out of the link's read buffer, which is much larger.
                self.streams.came(from, stream, Flowing::Item(Bytes::copy_from_slice(&item)));
            }
            Kind::TOPIC => {
                let (published, body) = decode_published(body)?;
                topics::published(self, from, &published, &body);
            }
            _ => self.told(from, decode_word(body)?),
        }
        Ok(())
    }

    /// Something happened to a link or to the membership.
    pub(crate) fn event(&self, event: &PeerEvent) {
        match event {
            PeerEvent::LinkUp(peer) => {
                for number in self.watches.of(*peer) {
                    self.word(*peer, &Word::Watch { number });
                }
                for word in self.linked.again(*peer) {
                    self.word(*peer, &word);
                }
                self.word(*peer, &self.topics.announcement());
            }
            PeerEvent::LinkDown(peer) => self.lost(*peer, "the link to the actor's node broke"),
            PeerEvent::MemberUp(member) => self.watches.member_up(member.key),
            PeerEvent::MemberDown(member) => {
                self.lost(member.key, "the actor's node was lost");
                self.watches.member_down(member.key);
                linked::lost(self, member.key);
                self.exports.forget(member.key);
                self.topics.forget(member.key);
            }
            PeerEvent::ClientGone(client) => {
                self.watches.member_down(*client);
                linked::lost(self, *client);
                self.exports.forget(*client);
                self.topics.forget(*client);
            }
            PeerEvent::Superseded(_) => self.close("a newer life of this node has joined the cluster"),
        }
    }

    /// Ends all that is under way.
    pub(crate) fn close(&self, why: &str) {
        for channel in self.channels(|_| true) {
            channel.lost(why);
        }
        self.asks.all_lost(why);
    }

    /// Runs a task in the node's runtime.
    pub(in crate::remote) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(task).abort_handle()
    }

    /// Makes an actor of this type on this node, as another node would have it made.
    pub(crate) fn spawn_here(&self, actor: &str, args: &[u8]) -> Result<Address, Refusal> {
        spawning::make(&self.system, actor, args)
    }

    pub(in crate::remote) fn system(&self) -> &ActorSystem {
        &self.system
    }

    pub(in crate::remote) fn me(&self) -> NodeKey {
        self.me
    }

    pub(in crate::remote) fn env(&self) -> &Env {
        &self.env
    }

    pub(in crate::remote) fn links(&self) -> &dyn Links {
        &*self.links
    }

    /// Says a word to a node, if there is a link. It waits for room, behind those that were said before.
    pub(in crate::remote) fn word(&self, to: NodeKey, word: &Word) {
        let waits = if self.backlog.is_waiting(to) { None } else { Some(self.say(to, word)) };
        match waits {
            Some(Ok(())) => {}
            None | Some(Err(SendFailure::Full { .. })) => {
                if !self.backlog.add_word(to, word.clone()) {
                    tracing::warn!(%to, ?word, "a word about an actor is lost: too many wait for room on the link");
                }
                self.wait_for_room(to);
            }
            Some(Err(error)) => tracing::debug!(%to, ?word, %error, "a word about an actor was not sent"),
        }
    }

    /// Says a word to a node.
    pub(in crate::remote) fn say(&self, to: NodeKey, word: &Word) -> Result<(), SendFailure> {
        self.links.send(to, Kind::ACTOR, &mut |out| word.encode(out))
    }

    /// Tells a node how an ask ended.
    pub(in crate::remote) fn answer(&self, peer: NodeKey, ask: u64, end: End) {
        match post(self, peer, ask, &end) {
            Ok(()) => {}
            Err(SendFailure::Full { .. }) => {
                self.backlog.add(peer, ask, end);
                self.wait_for_room(peer);
            }
            // The link broke: who asked has been told.
            Err(error) => tracing::trace!(%peer, %error, "a reply was not sent"),
        }
    }

    /// Has what waits for the link to this node sent when there is room.
    pub(in crate::remote) fn wait_for_room(&self, peer: NodeKey) {
        let first = self.full.lock().insert(peer);
        let Some(hub) = self.myself.upgrade().filter(|_| first) else { return };
        let room = self.links.room(peer);
        self.runtime.spawn(async move {
            room.await;
            hub.full.lock().remove(&peer);
            if !hub.backlog.send(peer, &hub) {
                return hub.wait_for_room(peer);
            }
            for channel in hub.channels(|node| node == peer) {
                channel.room();
            }
        });
    }

    /// The last reference to an actor of another node is gone.
    pub(in crate::remote) fn forget(&self, node: NodeKey, number: u64) {
        let mut channels = self.channels.write();
        // Another may have been made meanwhile.
        if channels.get(&(node, number)).is_some_and(|channel| channel.strong_count() == 0) {
            channels.remove(&(node, number));
        }
    }

    fn called(self: &Arc<Self>, from: NodeKey, call: Call) {
        let Call { head: Head { number, sequence, tag, ask, sender }, body } = call;
        let Some(exported) = self.exports.get(number) else {
            return self.missed(from, number, ask.map(|ask| ask.id));
        };
        let sink = ask.map(|ask| answers::sink(self, from, ask.id));
        let deadline = ask.and_then(|ask| Instant::now().checked_add(Duration::from_millis(ask.within_ms)));
        let parcel = Parcel { from, sequence, tag, body: &body, sink, sender, deadline };
        if let Err(unread) = exported.deliver(parcel) {
            tracing::warn!(%from, number, %unread, "a message for an actor cannot be read and is dropped");
            if let Some(ask) = ask {
                let reason = format!("the actor's node cannot read the message: {unread}");
                self.answer(from, ask.id, End::Failure(AskFailure::Unavailable { reason }));
            }
        }
    }

    /// A message came for an actor that has stopped, or never was.
    #[cold]
    fn missed(&self, from: NodeKey, number: u64, ask: Option<u64>) {
        self.env.dead_letters().record(DeadReason::Stopped, "a message from another node", || format!("#{number}"));
        let reason = Reason::from(&self.exports.reason(number));
        self.word(from, &Word::Ended { number, reason });
        if let Some(ask) = ask {
            self.answer(from, ask, End::Failure(AskFailure::Stopped));
        }
    }

    fn answered(&self, from: NodeKey, ask: u64, came: Came<'_>) {
        let Some(slot) = self.asks.end(ask, from) else {
            tracing::trace!(%from, ask, "an answer to nobody is dropped");
            return self.word(from, &Word::Unheard { ask });
        };
        let _inside = self.env.enter();
        match came {
            Came::Value(bytes) => slot.complete(bytes),
            Came::Failure(failure) => slot.fail(failure),
        }
    }

    fn told(self: &Arc<Self>, from: NodeKey, word: Word) {
        match word {
            Word::Taken { number, sequence } => {
                if let Some(channel) = self.channel(from, number) {
                    channel.taken(sequence);
                }
            }
            Word::Stop { number } => {
                if let Some(exported) = self.exports.get(number) {
                    exported.stop();
                }
            }
            Word::Drain { number } => {
                if let Some(exported) = self.exports.get(number) {
                    exported.drain();
                }
            }
            Word::Watch { number } => {
                if let Err(reason) = self.exports.watch(number, from) {
                    self.word(from, &Word::Ended { number, reason: Reason::from(&reason) });
                }
            }
            Word::Unwatch { number } => self.exports.unwatch(number, from),
            Word::Link { from: theirs, to, new } => linked::said(self, from, theirs, to, new),
            Word::Linked { mine, yours } => self.linked.share(Ends { node: from, theirs: mine, ours: yours }),
            Word::Unlink { mine, yours } => linked::unsaid(self, Ends { node: from, theirs: mine, ours: yours }),
            Word::Ended { number, reason } => {
                if let Some(channel) = self.channel(from, number) {
                    channel.end();
                }
                let reason = reason.into();
                linked::ended(self, from, number, &reason);
                self.watches.ended(from, number, reason);
            }
            Word::Topics { all } => self.topics.announced(from, all),
            Word::Hears { topic } => self.topics.hears(from, &topic),
            Word::Deaf { topic } => self.topics.deaf(from, &topic),
            Word::Spawn { ask, actor, args } => {
                spawning::spawn(self, from, ask, actor, args);
            }
            Word::Unheard { ask } => self.streams.unheard(from, ask),
            Word::Pull { stream, items } => self.streams.pulled(self, from, stream, items),
            Word::Abandon { stream } => self.streams.abandoned(from, stream),
            Word::Dry { stream, broken } => {
                self.streams.came(from, stream, Flowing::End(broken.map(Into::into)));
            }
        }
    }

    /// What is under way to a node, and from it, may be lost.
    fn lost(&self, peer: NodeKey, why: &str) {
        for channel in self.channels(|node| node == peer) {
            channel.lost(why);
        }
        self.asks.lost(peer, why);
        self.backlog.lost(peer);
        self.streams.lost(peer);
    }

    fn channel(&self, node: NodeKey, number: u64) -> Option<Arc<Channel>> {
        let channels = self.channels.read();
        channels.get(&(node, number))?.upgrade()
    }

    /// The channels to some nodes, in an order that a simulation repeats.
    fn channels(&self, of: impl Fn(NodeKey) -> bool) -> Vec<Arc<Channel>> {
        let channels = self.channels.read();
        let mut some: Vec<_> = channels.iter().filter(|((node, _), _)| of(*node)).collect();
        some.sort_unstable_by_key(|(key, _)| **key);
        some.into_iter().filter_map(|(_, channel)| channel.upgrade()).collect()
    }
}
