//! State that was stored, by this version of a program or an earlier one.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::StateError;
use crate::codec::fields::StateBytes;
use crate::codec::{decode, encode};

/// The fields that were stored of an entity, by name. A migration takes values out, and puts others in.
///
/// ```
/// use casty::actor::OldState;
/// use casty::prelude::*;
///
/// /// Version 1 kept euros.
/// fn cents(old: &mut OldState) -> Result<(), BoxError> {
///     let euros: u64 = old.take("euros")?;
///     old.put("cents", &(100 * euros))?;
///     Ok(())
/// }
///
/// #[persistent(version = 2, migrate(1 = cents))]
/// struct Account {
///     cents: u64,
/// }
/// ```
#[derive(Clone, Debug)]
pub struct OldState {
    of: &'static str,
    version: u32,
    fields: BTreeMap<Box<str>, Bytes>,
}

impl OldState {
    /// Reads what is stored of an actor of type `of`.
    pub(super) fn decode(bytes: &Bytes, of: &'static str) -> Result<Self, StateError> {
        let StateBytes { version, fields } =
            StateBytes::decode(bytes).map_err(|source| StateError::Damaged { of, source })?;
        let fields = fields.into_iter().map(|(name, value)| (name.into(), bytes.slice_ref(value))).collect();
        Ok(Self { of, version, fields })
    }

    /// The version of the layout with which it was stored.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The names of the fields that are there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(|name| &**name)
    }

    /// Takes the value of a field out.
    pub fn take<T: DeserializeOwned>(&mut self, field: &str) -> Result<T, StateError> {
        let value = self.take_if_there(field)?;
        value.ok_or_else(|| StateError::Missing { of: self.of, field: field.to_owned(), stored: self.version })
    }

    /// Takes the value of a field out, or makes one if there is none.
    pub fn take_or<T: DeserializeOwned>(&mut self, field: &str, default: impl FnOnce() -> T) -> Result<T, StateError> {
        Ok(self.take_if_there(field)?.unwrap_or_else(default))
    }

    fn take_if_there<T: DeserializeOwned>(&mut self, field: &str) -> Result<Option<T>, StateError> {
        let (of, stored) = (self.of, self.version);
        let unreadable = |source| StateError::Field { of, field: field.to_owned(), stored, source };
        self.fields.remove(field).map(|bytes| decode(&bytes)).transpose().map_err(unreadable)
    }

    /// Puts a value in, in place of one that is there.
    pub fn put<T: Serialize + ?Sized>(&mut self, field: &str, value: &T) -> Result<(), StateError> {
        let unwritable = |source| StateError::Put { of: self.of, field: field.to_owned(), source };
        let bytes = encode(value).map_err(unwritable)?;
        self.fields.insert(field.into(), bytes.into());
        Ok(())
    }

    /// Drops the value of a field, if it is there.
    pub fn remove(&mut self, field: &str) {
        self.fields.remove(field);
    }

    /// Gives the value of the field `from` to the field `to`, if the one has a value and the other none.
    pub fn rename(&mut self, from: &str, to: &str) {
        if self.fields.contains_key(to) {
            return;
        }
        if let Some(value) = self.fields.remove(from) {
            self.fields.insert(to.into(), value);
        }
    }

    pub(super) fn of(&self) -> &'static str {
        self.of
    }
}
