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
    /// The cluster has as many entity types as it can have.
    #[error(
        "the cluster has no room for the entity type `{name}`: it has {max} of them, singletons among them, and keeps them for \
         good; have one type with many entities in place of many types"
    )]
    TooMany {
        /// The name of the entity type.
        name: String,
        /// The most.
        max: usize,
    },
    /// The name and all layouts that the state ever had are more than the cluster agrees on at once.
    #[error(
        "the entity type `{name}` cannot be declared: with the {versions} versions of its state it takes {bytes} bytes, and {max} \
         are possible; give it a shorter name, or start another type where the state has had too many versions"
    )]
    TooLong {
        /// The name of the entity type.
        name: String,
        /// How many versions its state has had, with that of this program.
        versions: usize,
        /// What its declaration takes, in bytes.
        bytes: usize,
        /// The most, in bytes.
        max: usize,
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
