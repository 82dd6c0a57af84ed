//! What can go wrong with a topic of the cluster.

/// Why a topic of the cluster cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterTopicError {
    /// On this node the topic of this name is of another type.
    #[error("the topic `{name}` is of `{found}` and not of `{expected}`: take another name, or publish that type")]
    WrongType {
        /// The name.
        name: String,
        /// The type that was asked for.
        expected: &'static str,
        /// The type of its messages.
        found: &'static str,
    },
    /// The name is too long.
    #[error("the name of a topic has {bytes} bytes, allowed are {max}: take a shorter one")]
    Name {
        /// Its length, in bytes.
        bytes: usize,
        /// The longest that is allowed, in bytes.
        max: usize,
    },
    /// There are too many.
    #[error("this node has {max} topics of the cluster already: use fewer, and tell their messages apart by a field")]
    TooMany {
        /// The limit.
        max: usize,
    },
}
