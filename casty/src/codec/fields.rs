//! Persistent fields as bytes: each by itself under its name, so that a change names only those that changed.
//!
//! A state is the version of its layout, and its fields in the order of their names. A change is a whole state, some
//! fields of one, or what happened to one. There is one spelling of each state: whatever else comes is refused.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::events::count_events;
use super::{DecodeError, EncodeError, decode_prefix, encode_into};

/// Fields by name, each encoded.
pub(crate) type Fields<'a> = BTreeMap<&'a str, &'a [u8]>;

/// The state of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateBytes<'a> {
    /// The version of the layout.
    pub(crate) version: u32,
    /// All fields.
    pub(crate) fields: Fields<'a>,
}

/// What a handler did to a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangeBytes<'a> {
    /// It is this from now on.
    Whole(StateBytes<'a>),
    /// These fields are other ones from now on.
    Some(Fields<'a>),
    /// It is this from now on, and [events](super::events) will follow.
    Snapshot(StateBytes<'a>),
    /// These [events](super::events) happened to it.
    Events(&'a [u8]),
}

const WHOLE: u8 = 0;
const SOME: u8 = 1;
const SNAPSHOT: u8 = 2;
const EVENTS: u8 = 3;

/// The version of the layout of an encoded state.
pub(crate) fn version_of(state: &[u8]) -> Option<u32> {
    decode_prefix(state).ok().map(|(version, _)| version)
}

impl<'a> StateBytes<'a> {
    /// Reads a state.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (version, used) = decode_prefix(bytes)?;
        if version == 0 {
            return Err(malformed(bytes, "the first version is 1"));
        }
        Ok(Self { version, fields: decode_fields(&bytes[used..])? })
    }

    /// Writes a state.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(size_hint(&self.fields));
        self.encode_into(&mut out)?;
        Ok(out)
    }

    fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode_into(&self.version, out)?;
        encode_fields(&self.fields, out)
    }
}

impl<'a> ChangeBytes<'a> {
    /// Reads a change.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&WHOLE, rest)) => StateBytes::decode(rest).map(Self::Whole),
            Some((&SOME, rest)) => decode_fields(rest).map(Self::Some),
            Some((&SNAPSHOT, rest)) => StateBytes::decode(rest).map(Self::Snapshot),
            Some((&EVENTS, rest)) => count_events(rest).map(|_| Self::Events(rest)),
            _ => Err(malformed(bytes, "unknown kind")),
        }
    }

    /// Writes a change.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let (kind, bytes) = match self {
            Self::Whole(state) => (WHOLE, size_hint(&state.fields)),
            Self::Some(fields) => (SOME, size_hint(fields)),
            Self::Snapshot(state) => (SNAPSHOT, size_hint(&state.fields)),
            Self::Events(events) => (EVENTS, events.len()),
        };
        let mut out = Vec::with_capacity(1 + bytes);
        out.push(kind);
        match self {
            Self::Whole(state) | Self::Snapshot(state) => state.encode_into(&mut out)?,
            Self::Some(fields) => encode_fields(fields, &mut out)?,
            Self::Events(events) => out.extend_from_slice(events),
        }
        Ok(out)
    }
}

fn decode_fields(mut bytes: &[u8]) -> Result<Fields<'_>, DecodeError> {
    let mut fields = Fields::new();
    while !bytes.is_empty() {
        let ((name, value), used): ((&str, &[u8]), usize) = decode_prefix(bytes)?;
        if fields.last_key_value().is_some_and(|(last, _)| *last >= name) {
            return Err(malformed(bytes, "the names of the fields are not in order"));
        }
        fields.insert(name, value);
        bytes = &bytes[used..];
    }
    Ok(fields)
}

fn encode_fields(fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    fields.iter().try_for_each(|(name, value)| encode_into(&(name, Raw(value)), out))
}

/// About what the fields take: exact where they are large.
fn size_hint(fields: &Fields<'_>) -> usize {
    const LENGTHS: usize = 8;
    LENGTHS + fields.iter().map(|(name, value)| name.len() + value.len() + LENGTHS).sum::<usize>()
}

/// Bytes that are written at once, and not one by one.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

fn malformed(bytes: &[u8], why: &str) -> DecodeError {
    DecodeError::Malformed { of: "persistent state", bytes: bytes.len(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(version: u32, fields: &[(&'static str, &'static [u8])]) -> Vec<u8> {
        StateBytes { version, fields: fields.iter().copied().collect() }.encode().unwrap()
    }

    #[test]
    fn a_change_is_read_as_it_was_written_and_no_other_is_taken() {
        let state = || StateBytes { version: 2, fields: Fields::from([("a", &b"1"[..])]) };
        let (some, events) = (ChangeBytes::Some(state().fields), ChangeBytes::Events(b"\x011\x00"));
        for change in [ChangeBytes::Whole(state()), some, ChangeBytes::Snapshot(state()), events] {
            let bytes = change.encode().unwrap();
            assert_eq!(ChangeBytes::decode(&bytes).unwrap(), change);
            assert!(ChangeBytes::decode(&bytes[..bytes.len() - 1]).is_err() || bytes[0] == EVENTS);
        }
        assert!(ChangeBytes::decode(&[]).is_err());
        assert!(ChangeBytes::decode(&[9]).is_err());
        assert!(ChangeBytes::decode(&[EVENTS, 2, 0]).is_err(), "an event that is cut off");
    }

    #[test]
    fn a_state_has_one_spelling() {
        let mut twice = state(1, &[("a", b"1")]);
        twice.extend_from_slice(&state(1, &[("a", b"1")])[1..]);
        assert!(StateBytes::decode(&twice).is_err(), "a field is there twice");
        let mut backwards = state(1, &[("b", b"1")]);
        backwards.extend_from_slice(&state(1, &[("a", b"1")])[1..]);
        assert!(StateBytes::decode(&backwards).is_err(), "the order is another one");
        assert!(StateBytes::decode(&state(0, &[])).is_err(), "there is no version 0");
    }
}
