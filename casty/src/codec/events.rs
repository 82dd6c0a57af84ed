//! Events as bytes: one after the other, each behind its length.

use serde::Serialize;

use super::fields::Raw;
use super::{DecodeError, EncodeError, decode_prefix, encode, encode_into};

/// Adds an event behind those in `events`.
pub(crate) fn add_event<T: Serialize + ?Sized>(event: &T, events: &mut Vec<u8>) -> Result<(), EncodeError> {
    encode_into(&Raw(&encode(event)?), events)
}

/// The events in `events`, the first that happened first. It ends with the first error.
pub(crate) fn events_in(mut events: &[u8]) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
    std::iter::from_fn(move || {
        if events.is_empty() {
            return None;
        }
        let next = decode_prefix(events);
        events = next.as_ref().map_or(&[], |(_, used)| &events[*used..]);
        Some(next.map(|(event, _)| event))
    })
}

/// How many events there are.
pub(crate) fn count_events(events: &[u8]) -> Result<usize, DecodeError> {
    events_in(events).try_fold(0, |count, event| event.map(|_| count + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_they_were_added() {
        let mut events = Vec::new();
        assert_eq!(count_events(&events), Ok(0));
        add_event(&7u8, &mut events).unwrap();
        add_event("seven", &mut events).unwrap();
        add_event(&(), &mut events).unwrap();
        assert_eq!(events_in(&events).map(Result::unwrap).collect::<Vec<_>>(), [&[7][..], b"\x05seven", b""]);
        assert_eq!(count_events(&events), Ok(3));
        assert!(count_events(&events[..events.len() - 2]).is_err());
    }
}
