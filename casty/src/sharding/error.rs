//! What can go wrong when an entity type is started.

use std::time::Duration;

use crate::actor::StateMismatch;

/// `sharded(..).start()` failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShardingError {
    /// The cluster knows the type with other parameters.
    #[error(
        "the entity type `{name}` was started with {theirs}, and here with {ours}: both must be the same in every program"
    )]
    Conflict {
        /// The name of the entity type.
        name: String,
        /// What the cluster has.
        theirs: String,
        /// What was asked for.
        ours: String,
    },
    /// The state of the actor is not what the cluster has.
    #[error("the entity type `{name}` cannot be started: the state of the actor `{actor}` does not fit: {why}")]
    State {
        /// The name of the entity type.
        name: String,
        /// The wire name of the actor.
        actor: String,
        /// The field that does not, and the versions.
        why: StateMismatch,
    },
    /// Another type's name has the same tag.
    #[error("the entity types `{name}` and `{other}` have the same wire tag: rename one of them")]
    SameTag {
        /// The name of the entity type.
        name: String,
        /// The one that was there first.
        other: String,
    },
    /// The number of shards is not usable.
    #[error("the entity type `{name}` cannot have {shards} shards: 1 to {max} are possible")]
    Shards {
        /// The name of the entity type.
        name: String,
        /// What was asked for.
        shards: u32,
        /// The most.
        max: u32,
    },
    /// The meta group did not answer.
    #[error(
        "the entity type `{name}` could not be declared within {after:?}: the cluster's meta group does not answer; \
         does a majority of its nodes run?"
    )]
    Unavailable {
        /// The name of the entity type.
        name: String,
        /// How long was tried.
        after: Duration,
    },
}
