//! Where an actor lives, for those on other nodes.

use std::any::Any;
use std::sync::Arc;

use super::{Address, RemoteType, TooManyExported};
use crate::actor::Actor;
use crate::actor::cell::{AnyCell, Cell};

/// Why a reference cannot be told to other nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untold {
    /// The system belongs to no node.
    #[error("a reference to `{actor}` cannot leave its system: `{system}` is no node of a cluster, or was shut down")]
    NoNode {
        /// The wire name of the actor's type.
        actor: &'static str,
        /// The name of the system.
        system: String,
    },
    /// What is behind it is no actor with a place of its own.
    #[error(
        "a reference to `{actor}` cannot leave its node: it is an entity or a pool; send an `EntityRef`, or another actor"
    )]
    NoPlace {
        /// The wire name of the actor's type.
        actor: &'static str,
    },
    /// Other nodes cannot know the type.
    #[error("a reference to `{actor}` cannot leave its node: actors of this type work on their own node only")]
    Local {
        /// The wire name of the actor's type.
        actor: &'static str,
    },
    /// Too many are known to others.
    #[error(transparent)]
    TooMany(#[from] TooManyExported),
}

/// Where the actor of a cell lives. From then on other nodes can call it.
pub(in crate::actor) fn tell<A: Actor>(cell: &Arc<Cell<A>>, kind: Option<&dyn RemoteType>) -> Result<Address, Untold> {
    let env = cell.shared().env();
    let no_node = || Untold::NoNode { actor: A::NAME, system: env.system().to_owned() };
    let (exchange, kind) = (env.exchange().ok_or_else(no_node)?, kind.ok_or(Untold::Local { actor: A::NAME })?);
    let mut make = || kind.exported(Arc::clone(cell) as Arc<dyn Any + Send + Sync>);
    if !exchange.export(cell.number, &mut make)? {
        return Err(Untold::Local { actor: A::NAME });
    }
    Ok(Address { node: exchange.node(), number: cell.number, actor: A::NAME.into(), name: cell.name().cloned() })
}

/// The same, for an actor that may work on its own node only.
pub(in crate::actor) fn tell_any<A: Actor>(cell: &Arc<Cell<A>>) -> Result<Address, Untold> {
    let registered = cell.shared().registry().ok().and_then(|registry| registry.get(A::NAME));
    tell(cell, registered.and_then(|registered| registered.remote))
}
