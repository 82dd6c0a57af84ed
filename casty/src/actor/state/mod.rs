//! What of an actor is state, how it is kept, and how a program reads what an earlier one kept.
//!
//! State is a set of fields, each encoded by itself under its name, and the version of their [`Layout`]. Whoever reads
//! state of an older version migrates it, renames and drops fields, fills in defaults, and refuses what is left over or
//! missing then. `#[persistent]` writes the layout down.

mod by_hand;
mod error;
mod layout;
mod old;
mod saver;
mod shape;

use bytes::Bytes;

pub use by_hand::State;
pub use error::StateError;
pub use layout::{FieldOf, Layout, Migration};
pub use old::OldState;
pub use saver::Saver;
pub(super) use saver::{Captured, Differing};
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
    let mut state = OldState::decode(&bytes.into(), std::any::type_name::<A>())?;
    let current = state.version() == A::LAYOUT.version;
    A::LAYOUT.bring_up(&mut state)?;
    actor.load(&mut state)?;
    Ok(current)
}
