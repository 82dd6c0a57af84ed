//! What can go wrong in a store outside of the cluster.

use crate::base::BoxError;

/// Why an [`EntityStore`](super::EntityStore) did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntityStoreError {
    /// Another revision is stored than the expected one. Nothing was saved.
    #[error("another revision is stored than was expected: another node, or another cluster, has saved the entity")]
    Conflict,
    /// Nothing was read or saved, and will not be.
    #[error("the store cannot be used: {0}")]
    Unavailable(#[source] BoxError),
    /// The row may have been saved, or may be yet.
    #[error("the store did not say whether it has saved: {0}")]
    Unknown(#[source] BoxError),
}

impl EntityStoreError {
    /// [`Unavailable`](Self::Unavailable), for this reason.
    pub fn unavailable(why: impl Into<BoxError>) -> Self {
        Self::Unavailable(why.into())
    }

    /// [`Unknown`](Self::Unknown), for this reason.
    pub fn unknown(why: impl Into<BoxError>) -> Self {
        Self::Unknown(why.into())
    }
}
