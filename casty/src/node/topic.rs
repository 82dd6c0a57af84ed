//! Publish and subscribe in the whole cluster.

use std::fmt;
use std::sync::Arc;

use super::Node;
use crate::actor::remote::ClusterTopicError;
use crate::actor::{ActorRef, Handles, WireMessage};
use crate::remote::SharedTopic;

/// A name under which messages of one type are published on any node, and whoever subscribed on any node gets a copy.
///
/// It is [`Topic`](crate::Topic) for the cluster, and made anew with every [`Node::topic`]. Each copy arrives at most once, and
/// those of one publisher in the order in which they were published. One frame goes to each node that has subscribers; a node
/// whose link is down, or has no room, misses the message, which then is a dead letter here. A subscriber on another node gets
/// what is published after this node has heard of it, which takes as long as a message.
pub struct ClusterTopic<M>(Arc<SharedTopic<M>>);

/// Who took what was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// The subscribers of this node that took a copy.
    pub here: usize,
    /// The other nodes with subscribers that a copy was queued for.
    pub nodes: usize,
}

impl Node {
    /// The topic of this name, on which messages of type `M` are published to the actors of all nodes. It has nothing to do with
    /// a topic of this node's [system](crate::ActorSystem::topic) of the same name.
    ///
    /// ```no_run
    /// # use casty::prelude::*;
    /// # #[message] #[derive(Clone)] struct Price(u64);
    /// # struct Display;
    /// # #[actor] impl Display { #[handler] fn price(&mut self, _: Price) {} }
    /// # async fn example(node: casty::Node, display: ActorRef<Display>) -> Result<(), BoxError> {
    /// let prices = node.topic::<Price>("prices")?;
    /// prices.subscribe(&display);
    /// prices.publish(Price(7));
    /// # Ok(()) }
    /// ```
    pub fn topic<M: WireMessage + Clone>(&self, name: &str) -> Result<ClusterTopic<M>, ClusterTopicError> {
        Ok(ClusterTopic(Arc::new(SharedTopic::open(&self.inner.hub, name)?)))
    }
}

impl<M: WireMessage + Clone> ClusterTopic<M> {
    /// The name of the topic.
    pub fn name(&self) -> &str {
        self.0.local.name()
    }

    /// Sends a copy to every subscriber of the cluster. Nobody waits.
    ///
    /// From an entity's handler it is published when what the handler did is committed, and nothing is known yet of who takes
    /// it.
    pub fn publish(&self, msg: M) -> Reached {
        let topic = Arc::clone(&self.0);
        crate::actor::scope::publish(msg, move |msg| {
            let nodes = topic.send(&msg);
            Reached { here: topic.local.publish(msg), nodes }
        })
        .unwrap_or_default()
    }

    /// Has the actor get what is published from now on, until it stops. False if it does already. The topic does not keep the
    /// actor alive.
    pub fn subscribe<A: Handles<M>>(&self, actor: &ActorRef<A>) -> bool {
        let fresh = self.0.local.subscribe(actor);
        self.0.changed();
        fresh
    }

    /// The actor gets nothing more. False if it did not anyway.
    pub fn unsubscribe<A: Handles<M>>(&self, actor: &ActorRef<A>) -> bool {
        let known = self.0.local.unsubscribe(actor);
        self.0.changed();
        known
    }

    /// How many actors subscribed on this node, those included that have stopped since the last message.
    pub fn subscribers(&self) -> usize {
        self.0.local.subscribers()
    }

    /// How many other nodes have subscribers, as far as this one has heard.
    pub fn nodes(&self) -> usize {
        self.0.nodes()
    }
}

impl<M> Clone for ClusterTopic<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: WireMessage + Clone> fmt::Debug for ClusterTopic<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClusterTopic<{}>({:?})", std::any::type_name::<M>(), self.name())
    }
}
