//! What was recorded of an entity's state, and what has changed since.

use serde::Serialize;

use super::recorded::{Unrecorded, within};
use crate::codec::fields::{ChangeBytes, Fields, StateBytes};
use crate::codec::{EncodeError, encode_into};

/// The persistent fields as of the last record, each encoded.
#[derive(Debug)]
pub(in crate::actor) struct Captured {
    version: u32,
    fields: Vec<Field>,
    /// What is stored has another layout, or there is nothing: the next record holds all fields.
    whole: bool,
    /// Where fields are encoded that turn out to be as they were.
    buffer: Vec<u8>,
}

/// A captured field.
#[derive(Debug)]
struct Field {
    name: &'static str,
    value: Vec<u8>,
}

/// The fields that differ from the captured ones: their places and values.
#[derive(Debug)]
struct Differing(Vec<(usize, Field)>);

/// Takes the fields of an actor, one after the other, in an order that is always the same.
#[derive(Debug)]
pub struct Saver<'a> {
    captured: &'a [Field],
    buffer: &'a mut Vec<u8>,
    place: usize,
    differing: Vec<(usize, Field)>,
}

impl Saver<'_> {
    /// Takes the next field.
    pub fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), EncodeError> {
        self.buffer.clear();
        encode_into(value, self.buffer)?;
        if self.captured.get(self.place).is_none_or(|field| field.value != *self.buffer) {
            self.differing.push((self.place, Field { name, value: std::mem::take(self.buffer) }));
        }
        self.place += 1;
        Ok(())
    }
}

impl Captured {
    /// Nothing is captured.
    pub(super) fn new(version: u32) -> Self {
        Self { version, fields: Vec::new(), whole: true, buffer: Vec::new() }
    }

    /// Captures what `save` saves.
    pub(super) fn capture(
        &mut self,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if let Some(differing) = self.differing(save)? {
            self.take(differing);
        }
        Ok(())
    }

    /// What the next record says of a state which `save` saves, and which is captured then; all of it takes `bytes_max` at most.
    pub(super) fn next(
        &mut self,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Unrecorded> {
        let Some(differing) = self.differing(save)? else { return Ok(None) };
        within(self.bytes_with(&differing), bytes_max)?;
        let change = self.change(&differing)?;
        self.take(differing);
        self.is_stored();
        Ok(Some(change))
    }

    /// What of that which `save` saves differs from what is captured.
    fn differing(
        &mut self,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
    ) -> Result<Option<Differing>, EncodeError> {
        let Self { fields, buffer, .. } = self;
        let mut saver = Saver { captured: fields, buffer, place: 0, differing: Vec::new() };
        save(&mut saver)?;
        Ok((!saver.differing.is_empty()).then_some(Differing(saver.differing)))
    }

    /// The state that is stored has this layout: from now on, a record holds what changed.
    pub(super) fn is_stored(&mut self) {
        self.whole = false;
    }

    /// How much the state would take, in bytes.
    fn bytes_with(&self, differing: &Differing) -> usize {
        let values = |place: usize, field: &Field| {
            let other = differing.0.iter().find(|(at, _)| *at == place);
            field.name.len() + other.map_or(&field.value, |(_, field)| &field.value).len()
        };
        self.fields.iter().enumerate().map(|(place, field)| values(place, field)).sum()
    }

    /// What a record says of it, encoded.
    fn change(&self, differing: &Differing) -> Result<Vec<u8>, EncodeError> {
        let mut fields = if self.whole { self.all() } else { Fields::new() };
        fields.extend(differing.0.iter().map(|(_, field)| (field.name, &*field.value)));
        match self.whole {
            true => ChangeBytes::Whole(StateBytes { version: self.version, fields }).encode(),
            false => ChangeBytes::Some(fields).encode(),
        }
    }

    /// A record says so: it is captured.
    fn take(&mut self, differing: Differing) {
        for (place, field) in differing.0 {
            match self.fields.get_mut(place) {
                Some(captured) => *captured = field,
                None => self.fields.push(field),
            }
        }
    }

    /// The state, encoded.
    pub(super) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        StateBytes { version: self.version, fields: self.all() }.encode()
    }

    fn all(&self) -> Fields<'_> {
        self.fields.iter().map(|field| (field.name, &*field.value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn save<'a>(large: &'a [u8], counter: &'a u64) -> impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError> {
        move |saver| {
            saver.field("large", large)?;
            saver.field("counter", counter)
        }
    }

    #[test]
    fn a_change_holds_what_changed_once_the_whole_was_stored() {
        let large = vec![7; 1 << 20];
        let mut captured = Captured::new(1);
        captured.capture(save(&large, &0)).unwrap();
        let first = captured.next(save(&large, &1), usize::MAX).unwrap().unwrap();
        assert!(first.len() > 1 << 20);
        assert!(matches!(ChangeBytes::decode(&first).unwrap(), ChangeBytes::Whole(state) if state.fields.len() == 2));
        assert!(captured.next(save(&large, &1), usize::MAX).unwrap().is_none());
        let second = captured.next(save(&large, &2), usize::MAX).unwrap().unwrap();
        assert_eq!(ChangeBytes::decode(&second).unwrap(), ChangeBytes::Some(Fields::from([("counter", &[2][..])])));
    }

    #[test]
    fn what_is_too_large_is_no_capture() {
        let mut captured = Captured::new(1);
        captured.capture(save(&[7; 100], &0)).unwrap();
        captured.is_stored();
        let before = captured.encode().unwrap();
        let next = captured.next(save(&[7; 100], &1), 100);
        assert!(matches!(next, Err(Unrecorded::TooLarge { bytes }) if bytes > 100), "all fields count: {next:?}");
        assert_eq!(captured.encode().unwrap(), before);
    }
}
