//! Why state cannot be read.

use crate::codec::{DecodeError, EncodeError};

/// What is stored of an entity is not what its type can take over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The bytes are no state at all.
    #[error("what is stored of a `{of}` is damaged: {source}")]
    Damaged {
        /// The Rust type.
        of: &'static str,
        /// What is wrong.
        source: DecodeError,
    },
    /// A field has another type than the one that was stored.
    #[error(
        "the field `{field}` of `{of}` cannot be read as version {stored} stored it: {source}; raise the version of \
         the state and migrate it"
    )]
    Field {
        /// The Rust type.
        of: &'static str,
        /// The name of the field.
        field: String,
        /// The version of the layout that was stored.
        stored: u32,
        /// What is wrong.
        source: DecodeError,
    },
    /// A field has no value.
    #[error(
        "version {stored} of the state of `{of}` has no field `{field}`: say `default({field})`, `renamed({field} = …)` \
         or `migrate({stored} = …)`"
    )]
    Missing {
        /// The Rust type.
        of: &'static str,
        /// The name of the field.
        field: String,
        /// The version of the layout that was stored.
        stored: u32,
    },
    /// A value has no field.
    #[error(
        "version {stored} of the state of `{of}` has a field `{field}`, and this program has none: say \
         `removed({field})`, `renamed(… = {field})` or `migrate({stored} = …)`"
    )]
    Unknown {
        /// The Rust type.
        of: &'static str,
        /// The name of the field.
        field: String,
        /// The version of the layout that was stored.
        stored: u32,
    },
    /// An event has another type than the one that was recorded.
    #[error(
        "an event of `{of}` cannot be read as version {stored} recorded it: {source}; raise the version of the state, and \
         say how one becomes one of today's, `upcast({stored} = …)`"
    )]
    Event {
        /// The Rust type.
        of: &'static str,
        /// The version of the layout with which it was recorded.
        stored: u32,
        /// What is wrong.
        source: DecodeError,
    },
    /// There are events, and the type has none.
    #[error("there are events of `{of}`, and this program knows none: say which, `events = …`")]
    NoEvents {
        /// The Rust type.
        of: &'static str,
    },
    /// A newer program stored it.
    #[error("the state of `{of}` was stored with version {stored}, and this program has version {version}: update it")]
    Newer {
        /// The Rust type.
        of: &'static str,
        /// The version of the layout that was stored.
        stored: u32,
        /// The version that this program has.
        version: u32,
    },
    /// The user's migration failed.
    #[error("the state of `{of}` cannot be migrated from version {from}: {why}")]
    Migration {
        /// The Rust type.
        of: &'static str,
        /// The version that it is migrated from.
        from: u32,
        /// What the migration said.
        why: String,
    },
    /// A value that a migration put in cannot be encoded.
    #[error("a migration of `{of}` put a value into `{field}` that cannot be encoded: {source}")]
    Put {
        /// The Rust type.
        of: &'static str,
        /// The name of the field.
        field: String,
        /// What the format said.
        source: EncodeError,
    },
}
