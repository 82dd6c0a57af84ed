//! What is known of the state of an actor type without an actor.

use super::{OldState, StateError};
use crate::base::BoxError;
use crate::codec::Shape;

/// Changes the state that a layout of one version left into one of the next version.
pub type Migration = fn(&mut OldState) -> Result<(), BoxError>;

/// The fields that are state, and what becomes of those of earlier versions. `#[persistent]` writes it.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Raised whenever the shape of the state changes. The first is 1.
    pub version: u32,
    /// The fields, in the order in which they are saved.
    pub fields: &'static [FieldOf],
    /// Fields that have another name now: the name today, the name before.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Fields of earlier versions whose values are dropped.
    pub removed: &'static [&'static str],
    /// From which version on, and how.
    pub migrations: &'static [(u32, Migration)],
    /// The events that change the state, if none of its fields are changed otherwise.
    pub events: Option<EventsOf>,
}

/// A field that is state.
#[derive(Clone, Copy, Debug)]
pub struct FieldOf {
    /// Its name, or its number in a tuple struct.
    pub name: &'static str,
    /// Whether it has a value where an earlier version left none.
    pub has_default: bool,
    /// What it looks like in bytes.
    pub shape: fn() -> Shape,
}

/// The events that change a state.
#[derive(Clone, Copy, Debug)]
pub struct EventsOf {
    /// What one looks like in bytes.
    pub shape: fn() -> Shape,
    /// A snapshot of the state takes the place of its events when there are so many. At least 1.
    pub snapshot_every: u32,
    /// The versions of which an event is read as another type, and made one of today's.
    pub upcast: &'static [u32],
}

impl Layout {
    /// Nothing is state.
    pub const NONE: Self = Self { version: 1, fields: &[], renamed: &[], removed: &[], migrations: &[], events: None };

    /// Makes of a state of this version or an older one a state of this version, but for defaults.
    pub(super) fn bring_up(&self, state: &mut OldState) -> Result<(), StateError> {
        let stored = state.version();
        if stored > self.version {
            return Err(StateError::Newer { of: state.of(), stored, version: self.version });
        }
        for from in stored..self.version {
            if let Some(migrate) = self.migration(from) {
                migrate(state).map_err(|why| StateError::Migration { of: state.of(), from, why: why.to_string() })?;
            }
        }
        if stored < self.version {
            self.renamed.iter().for_each(|(now, before)| state.rename(before, now));
            self.removed.iter().for_each(|field| state.remove(field));
        }
        match state.names().find(|name| !self.fields.iter().any(|field| field.name == *name)) {
            Some(unknown) => Err(StateError::Unknown { of: state.of(), field: unknown.to_owned(), stored }),
            None => Ok(()),
        }
    }

    /// How a state of version `from` becomes one of the next.
    fn migration(&self, from: u32) -> Option<Migration> {
        self.migrations.iter().find(|(version, _)| *version == from).map(|(_, migrate)| *migrate)
    }
}
