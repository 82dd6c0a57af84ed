//! Persistent fields as bytes: each by itself under its name, so that a change names only those that changed.
//!
//! A state is the version of its layout, and its fields in the order of their names. A change is a whole state, or some
//! fields of one. There is one spelling of each: whatever else comes is refused.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

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
}

const WHOLE: u8 = 0;
const SOME: u8 = 1;

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
            _ => Err(malformed(bytes, "unknown kind")),
        }
    }

    /// Writes a change.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let (kind, fields) = match self {
            Self::Whole(state) => (WHOLE, &state.fields),
            Self::Some(fields) => (SOME, fields),
        };
        let mut out = Vec::with_capacity(1 + size_hint(fields));
        out.push(kind);
        match self {
            Self::Whole(state) => state.encode_into(&mut out)?,
            Self::Some(fields) => encode_fields(fields, &mut out)?,
        }
        Ok(out)
    }
}

/// What `state` is after `change`. A pure function of the bytes, so that every replica gets the same.
pub(crate) fn changed(state: Option<&[u8]>, change: &[u8]) -> Result<Vec<u8>, MergeError> {
    let merged = match (ChangeBytes::decode(change)?, state) {
        (ChangeBytes::Whole(whole), _) => whole,
        (ChangeBytes::Some(_), None) => return Err(MergeError::NoState),
        (ChangeBytes::Some(fields), Some(state)) => {
            let mut state = StateBytes::decode(state)?;
            state.fields.extend(fields);
            state
        }
    };
    Ok(merged.encode()?)
}

/// A change cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// The state or the change is none.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The result is too long.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Some fields of nothing.
    #[error("some fields change, of an entity that has no state yet")]
    NoState,
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
struct Raw<'a>(&'a [u8]);

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

    fn some(fields: &[(&'static str, &'static [u8])]) -> Vec<u8> {
        ChangeBytes::Some(fields.iter().copied().collect()).encode().unwrap()
    }

    fn whole(version: u32, fields: &[(&'static str, &'static [u8])]) -> Vec<u8> {
        let whole = StateBytes { version, fields: fields.iter().copied().collect() };
        ChangeBytes::Whole(whole).encode().unwrap()
    }

    #[test]
    fn a_change_replaces_the_fields_that_it_names_and_no_others() {
        let first = changed(None, &whole(1, &[("b", b"2"), ("a", b"1")])).unwrap();
        assert_eq!(first, state(1, &[("a", b"1"), ("b", b"2")]));
        let second = changed(Some(&first), &some(&[("b", b"three")])).unwrap();
        assert_eq!(second, state(1, &[("a", b"1"), ("b", b"three")]));
        assert_eq!(changed(Some(&second), &whole(2, &[("c", b"")])).unwrap(), state(2, &[("c", b"")]));
    }

    #[test]
    fn what_is_no_change_of_this_state_is_an_error() {
        let there = state(1, &[("a", b"1")]);
        assert!(matches!(changed(None, &some(&[("a", b"1")])), Err(MergeError::NoState)));
        assert!(changed(Some(&there[..there.len() - 1]), &some(&[])).is_err());
        assert!(changed(Some(&there), &[]).is_err());
        assert!(changed(Some(&there), &[9]).is_err());
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
