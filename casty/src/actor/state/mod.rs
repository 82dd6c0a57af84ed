//! What of an actor is state, how it is kept, and how a program reads what an earlier one kept.
//!
//! State is a set of fields, each encoded by itself under its name, and the version of their [`Layout`]. Whoever reads
//! state of an older version migrates it, renames and drops fields, fills in defaults, and refuses what is left over or
//! missing then. `#[persistent]` writes the layout down.
//!
//! Where [events](EventSourced) change the state, it is a set of fields as well, a snapshot, and the events since, which are
//! of the version of that.

mod by_hand;
mod emitted;
mod error;
mod events;
mod history;
mod layout;
mod old;
mod recorded;
mod saver;
mod shape;

use bytes::Bytes;

pub use by_hand::State;
pub(super) use emitted::{Emitted, Happened};
pub use error::StateError;
pub use events::{Emits, EventSourced, read_event};
pub use layout::{EventsOf, FieldOf, Layout, Migration};
pub use old::OldState;
pub(super) use recorded::{Recorded, Unrecorded};
use saver::Captured;
pub use saver::Saver;
pub(crate) use shape::{Reader, Standing};
pub use shape::{StateMismatch, StateShape};

use super::Persistent;
use crate::codec::EncodeError;

/// The persistent fields of `actor` as bytes.
pub fn save<A: Persistent>(actor: &A) -> Result<Vec<u8>, EncodeError> {
    let mut captured = Captured::new(A::LAYOUT.version);
    captured.capture(|saver| actor.save(saver))?;
    captured.encode()
}

/// Replaces the persistent fields of `actor` by those that an actor of this layout or an older one had. On an error
/// nothing is replaced. Says whether the layout is this one.
pub fn restore<A: Persistent>(actor: &mut A, bytes: impl Into<Bytes>) -> Result<bool, StateError> {
    rebuild(actor, &bytes.into(), &[])
}

/// The same, and applies the events of several records that were made of that state.
pub(super) fn rebuild<A: Persistent>(actor: &mut A, bytes: &Bytes, records: &[Bytes]) -> Result<bool, StateError> {
    let mut state = OldState::decode(bytes, std::any::type_name::<A>())?;
    let stored = state.version();
    A::LAYOUT.bring_up(&mut state)?;
    actor.load(&mut state)?;
    events::replay(actor, stored, records)?;
    Ok(stored == A::LAYOUT.version)
}
