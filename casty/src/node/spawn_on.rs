//! Actors that are made on another node.

use super::Node;
use crate::actor::remote::{Addressed, SpawnArgs};
use crate::actor::{ActorRef, AskFailure};
use crate::base::NodeId;
use crate::codec::{DecodeError, EncodeError, decode, encode};
use crate::remote::{Refusal, spawn_on};

impl Node {
    /// Has a node of the cluster make an `A` of these arguments, with its `new`, and spawn it there.
    ///
    /// `new` is in the `#[actor]` block and takes what can be sent; where it takes several values, `args` is a tuple of them.
    /// The actor cannot be made anew, so it stops when it fails, and it does not stop for want of references.
    ///
    /// ```no_run
    /// # use casty::prelude::*;
    /// struct Resizer { width: u32 }
    ///
    /// #[actor]
    /// impl Resizer {
    ///     fn new(width: u32) -> Self {
    ///         Self { width }
    ///     }
    ///     #[message]
    ///     fn resize(&mut self, image: Vec<u8>) -> usize {
    ///         image.len() / self.width as usize
    ///     }
    /// }
    ///
    /// # async fn example(node: casty::Node) -> Result<(), BoxError> {
    /// let resizer: ActorRef<Resizer> = node.spawn_on("node-2", 640).await?;
    /// # Ok(()) }
    /// ```
    pub async fn spawn_on<A: Addressed>(
        &self,
        node: impl Into<NodeId>,
        args: impl SpawnArgs<A>,
    ) -> Result<ActorRef<A>, SpawnOnError> {
        let (node, actor) = (node.into(), A::NAME);
        let args = encode(&args)?;
        let member = self.members().into_iter().find(|member| member.id == node);
        let Some(member) = member else { return Err(SpawnOnError::UnknownNode { node }) };
        let within = self.env().ask_timeout();
        let spawned = match member.key == self.inner.me {
            true => self.inner.hub.spawn_here(actor, &args),
            false => spawn_on(&self.inner.hub, member.key, actor, args, within).await?,
        };
        let address = spawned.map_err(|refusal| match refusal {
            Refusal::Unknown => SpawnOnError::UnknownType { actor, node },
            Refusal::NotMade => SpawnOnError::NotMade { actor, node },
            Refusal::Panicked(reason) => SpawnOnError::Panicked { actor, node, reason },
            Refusal::Other(reason) => SpawnOnError::Refused { actor, node, reason },
        })?;
        let _inside = self.env().enter();
        Ok(decode(&encode(&address)?)?)
    }
}

/// Why an actor was not spawned on a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnOnError {
    /// No live member of the cluster has this id.
    #[error(
        "cannot spawn on `{node}`: no live member of the cluster has that id; `members()` gives those that there are"
    )]
    UnknownNode {
        /// The id.
        node: NodeId,
    },
    /// The program of the node does not have the type.
    #[error(
        "`{node}` has no actor type `{actor}`: does its program link the crate? Name something of it there: `use` it"
    )]
    UnknownType {
        /// The wire name of the type.
        actor: &'static str,
        /// The node.
        node: NodeId,
    },
    /// On the node, the type has no `new` that takes these arguments.
    #[error(
        "`{node}` cannot make a `{actor}`: there it has no `new` of values that can be sent; run one version on both"
    )]
    NotMade {
        /// The wire name of the type.
        actor: &'static str,
        /// The node.
        node: NodeId,
    },
    /// `new` panicked.
    #[error("cannot spawn a `{actor}` on `{node}`: its `new` panicked: {reason}")]
    Panicked {
        /// The wire name of the type.
        actor: &'static str,
        /// The node.
        node: NodeId,
        /// The text of the panic.
        reason: String,
    },
    /// The node did not spawn it.
    #[error("`{node}` did not spawn a `{actor}`: {reason}")]
    Refused {
        /// The wire name of the type.
        actor: &'static str,
        /// The node.
        node: NodeId,
        /// What it said.
        reason: String,
    },
    /// The node was not reached, or did not answer; after `Timeout` and `Unknown` the actor may live there.
    #[error(transparent)]
    Unanswered(#[from] AskFailure),
    /// The arguments cannot be sent.
    #[error(transparent)]
    Args(#[from] EncodeError),
    /// The answer cannot be read.
    #[error(transparent)]
    Answer(#[from] DecodeError),
}
