//! Topics of the whole cluster: which nodes have subscribers, and the way of what is published to them.

use std::any::{Any, type_name};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::hub::Hub;
use super::protocol::{Published, Word};
use crate::actor::remote::ClusterTopicError;
use crate::actor::{DeadReason, Failure, Topic, WireMessage};
use crate::base::NodeKey;
use crate::wire::Kind;

/// The most topics of one node that have subscribers or are held. What another node says of more is not remembered.
const TOPICS_MAX: usize = 1 << 12;

/// The longest name of a topic, in bytes.
const TOPIC_NAME_BYTES_MAX: usize = 255;

/// The topics of one node that the cluster shares.
#[derive(Default)]
pub(super) struct Topics(Mutex<State>);

#[derive(Default)]
struct State {
    /// Those of this node, by name.
    ours: BTreeMap<Arc<str>, Ours>,
    /// The other nodes with subscribers, by topic.
    hearing: BTreeMap<Arc<str>, BTreeSet<NodeKey>>,
}

struct Ours {
    deliver: Arc<dyn Deliver>,
    /// The other nodes were told that this one has subscribers.
    announced: bool,
}

/// A topic of this node of which the type is not known.
trait Deliver: Send + Sync {
    /// Reads a message and gives it to the subscribers of this node. The error is a text for the log.
    fn deliver(&self, tag: u32, body: &[u8]) -> Result<(), String>;
    fn subscribers(&self) -> usize;
    fn messages(&self) -> &'static str;
    fn topic(&self) -> &(dyn Any + Send + Sync);
}

impl<M: WireMessage + Clone> Deliver for Topic<M> {
    fn deliver(&self, tag: u32, body: &[u8]) -> Result<(), String> {
        if tag != M::TAG {
            return Err(format!("it is of another type than `{}`", type_name::<M>()));
        }
        // `Deserialize` is the user's code.
        match catch_unwind(AssertUnwindSafe(|| M::decode(body))) {
            Ok(Ok(msg)) => {
                self.publish(msg);
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(panic) => Err(format!("it panicked while it was read: {}", Failure::from_panic(panic).reason)),
        }
    }

    fn subscribers(&self) -> usize {
        self.living()
    }

    fn messages(&self) -> &'static str {
        type_name::<M>()
    }

    fn topic(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl Topics {
    /// The topic of this name on this node, made if there is none.
    fn open<M: WireMessage + Clone>(&self, name: &str) -> Result<Topic<M>, ClusterTopicError> {
        if name.len() > TOPIC_NAME_BYTES_MAX {
            return Err(ClusterTopicError::Name { bytes: name.len(), max: TOPIC_NAME_BYTES_MAX });
        }
        let mut state = self.0.lock();
        if let Some(ours) = state.ours.get(name) {
            let (expected, found) = (type_name::<M>(), ours.deliver.messages());
            let wrong = || ClusterTopicError::WrongType { name: name.to_owned(), expected, found };
            return ours.deliver.topic().downcast_ref::<Topic<M>>().cloned().ok_or_else(wrong);
        }
        if state.ours.len() >= TOPICS_MAX {
            state.ours.retain(|_, ours| ours.announced || ours.deliver.subscribers() > 0);
        }
        if state.ours.len() >= TOPICS_MAX {
            return Err(ClusterTopicError::TooMany { max: TOPICS_MAX });
        }
        let topic = Topic::<M>::new(name.into());
        state.ours.insert(name.into(), Ours { deliver: Arc::new(topic.clone()), announced: false });
        Ok(topic)
    }

    /// The other nodes that have subscribers.
    fn hearing(&self, name: &str) -> Vec<NodeKey> {
        self.0.lock().hearing.get(name).map(|nodes| nodes.iter().copied().collect()).unwrap_or_default()
    }

    /// Looks whether this node has subscribers, and says what the others are to be told if that has changed.
    fn review(&self, name: &str) -> Option<Word> {
        let mut state = self.0.lock();
        let ours = state.ours.get_mut(name)?;
        let hears = ours.deliver.subscribers() > 0;
        (std::mem::replace(&mut ours.announced, hears) != hears).then(|| match hears {
            true => Word::Hears { topic: name.to_owned() },
            false => Word::Deaf { topic: name.to_owned() },
        })
    }

    /// Everything that a node is told whose link came up.
    pub(super) fn announcement(&self) -> Word {
        let state = self.0.lock();
        let names = state.ours.iter().filter(|(_, ours)| ours.announced).map(|(name, _)| name.to_string());
        Word::Topics { all: names.collect() }
    }

    /// A node says of which topics it has subscribers.
    pub(super) fn announced(&self, node: NodeKey, all: Vec<String>) {
        self.forget(node);
        all.iter().for_each(|topic| self.hears(node, topic));
    }

    /// A node has subscribers of a topic.
    pub(super) fn hears(&self, node: NodeKey, topic: &str) {
        let mut state = self.0.lock();
        let known = state.hearing.contains_key(topic);
        if topic.len() > TOPIC_NAME_BYTES_MAX || (!known && state.hearing.len() >= TOPICS_MAX) {
            return tracing::warn!(%node, "a node has subscribers of more topics than this one remembers");
        }
        state.hearing.entry(topic.into()).or_default().insert(node);
    }

    /// A node has no subscribers of a topic any more.
    pub(super) fn deaf(&self, node: NodeKey, topic: &str) {
        let mut state = self.0.lock();
        let Some(nodes) = state.hearing.get_mut(topic) else { return };
        nodes.remove(&node);
        if nodes.is_empty() {
            state.hearing.remove(topic);
        }
    }

    /// A node is gone, or tells everything anew.
    pub(super) fn forget(&self, node: NodeKey) {
        self.0.lock().hearing.retain(|_, nodes| {
            nodes.remove(&node);
            !nodes.is_empty()
        });
    }
}

/// A topic of the cluster, as one node has it.
pub(crate) struct Shared<M> {
    pub(crate) local: Topic<M>,
    pub(crate) hub: Arc<Hub>,
}

impl<M: WireMessage + Clone> Shared<M> {
    /// The topic of this name.
    pub(crate) fn open(hub: &Arc<Hub>, name: &str) -> Result<Self, ClusterTopicError> {
        Ok(Self { local: hub.topics.open(name)?, hub: Arc::clone(hub) })
    }

    /// The other nodes that have subscribers, as far as this one has heard.
    pub(crate) fn nodes(&self) -> usize {
        self.hub.topics.hearing(self.local.name()).len()
    }

    /// Subscribers have come or gone.
    pub(crate) fn changed(&self) {
        review(&self.hub, self.local.name());
    }

    /// Sends a message to every node with subscribers, and says to how many.
    pub(crate) fn send(&self, msg: &M) -> usize {
        let nodes = self.hub.topics.hearing(self.local.name());
        if nodes.is_empty() {
            return 0;
        }
        let mut body = Vec::new();
        if let Err(error) = msg.encode(&mut body) {
            tracing::error!(topic = self.local.name(), %error, "what is published cannot leave this node");
            return 0;
        }
        let published = Published { topic: self.local.name(), tag: M::TAG };
        let sent = nodes.into_iter().filter(|node| {
            let sent = self.hub.links().send(*node, Kind::TOPIC, &mut |out| published.encode(&body, out));
            if let Err(error) = &sent {
                let letters = self.hub.env().dead_letters();
                letters.record(DeadReason::Unavailable, type_name::<M>(), || format!("topic on {node}: {error}"));
            }
            sent.is_ok()
        });
        sent.count()
    }
}

/// Tells the other nodes if this one has subscribers now and had none, or the other way round.
fn review(hub: &Hub, name: &str) {
    if let Some(word) = hub.topics.review(name) {
        for node in hub.links().members() {
            hub.word(node, &word);
        }
    }
}

/// Something was published on another node.
pub(super) fn published(hub: &Hub, from: NodeKey, published: &Published<'_>, body: &Bytes) {
    let Published { topic, tag } = published;
    let ours = hub.topics.0.lock().ours.get(*topic).map(|ours| Arc::clone(&ours.deliver));
    let Some(deliver) = ours else {
        return tracing::debug!(%from, topic, "a message of a topic that nobody here knows is dropped");
    };
    let inside = hub.env().enter();
    let delivered = deliver.deliver(*tag, body);
    drop(inside);
    if let Err(why) = delivered {
        tracing::warn!(%from, topic, why, "what was published on another node cannot be read and is dropped");
    }
    if deliver.subscribers() == 0 {
        review(hub, topic);
    }
}
