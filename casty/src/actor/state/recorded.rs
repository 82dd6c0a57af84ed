//! What is recorded of an entity's state, and what the next record says.

use bytes::Bytes;

use super::emitted::Happened;
use super::history::History;
use super::saver::{Captured, Saver};
use super::{EventsOf, Layout};
use crate::base::BoxError;
use crate::codec::{DecodeError, EncodeError};

/// The state as of the last record.
#[derive(Debug)]
pub(in crate::actor) enum Recorded {
    /// Its fields.
    Fields(Captured),
    /// A snapshot, and events.
    Events(History),
}

/// What a handler did cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub(in crate::actor) enum Unrecorded {
    /// It takes more than it may.
    #[error("it takes {bytes} bytes, which is too much")]
    TooLarge {
        /// How much.
        bytes: usize,
    },
    /// A value cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// What was encoded is no state.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Recorded {
    /// Of a state of this layout, which `save` saves. `stored` is what is stored of it in the same version.
    pub(in crate::actor) fn new(
        layout: &Layout,
        stored: Option<(Bytes, Vec<Bytes>)>,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
    ) -> Result<Self, BoxError> {
        let version = layout.version;
        Ok(match (layout.events, stored) {
            (Some(EventsOf { snapshot_every, .. }), Some((snapshot, records))) => {
                Self::Events(History::stored(version, snapshot_every, snapshot, records)?)
            }
            (Some(EventsOf { snapshot_every, .. }), None) => {
                Self::Events(History::unstored(version, snapshot_every, save)?)
            }
            (None, stored) => {
                let mut captured = Captured::new(version);
                captured.capture(save)?;
                if stored.is_some() {
                    captured.is_stored();
                }
                Self::Fields(captured)
            }
        })
    }

    /// What it is: a state, and the events after it.
    pub(in crate::actor) fn kept(&self) -> Result<(Bytes, &[Bytes]), EncodeError> {
        match self {
            Self::Fields(captured) => Ok((captured.encode()?.into(), &[])),
            Self::Events(history) => Ok(history.kept()),
        }
    }

    /// What the next record says of a handler that left the state which `save` saves, encoded; `None` if it changed nothing.
    /// On an error it did nothing. A state of which fields change may take `bytes_max`, and so may a snapshot, or events.
    pub(in crate::actor) fn next(
        &mut self,
        happened: Happened,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Unrecorded> {
        match self {
            Self::Fields(captured) => captured.next(save, bytes_max),
            Self::Events(history) => history.next(happened, save, bytes_max),
        }
    }
}

/// So much may be recorded.
pub(super) fn within(bytes: usize, bytes_max: usize) -> Result<(), Unrecorded> {
    if bytes > bytes_max { Err(Unrecorded::TooLarge { bytes }) } else { Ok(()) }
}
