//! What is recorded of a state that events change.

use bytes::Bytes;

use super::emitted::Happened;
use super::recorded::{Unrecorded, within};
use super::saver::{Captured, Saver};
use crate::codec::events::count_events;
use crate::codec::fields::{ChangeBytes, StateBytes};
use crate::codec::{DecodeError, EncodeError};

/// A snapshot of the state, and the events after it.
#[derive(Debug)]
pub(in crate::actor) struct History {
    version: u32,
    snapshot_every: u32,
    snapshot: Bytes,
    /// Whether the snapshot is what is stored. If not, the next record is one, so that events are of the version of the
    /// snapshot before them.
    stored: bool,
    /// The events, those of one record together.
    records: Vec<Bytes>,
    /// How many events these are.
    count: usize,
}

impl History {
    /// Of a state of this version, which is stored so.
    pub(super) fn stored(
        version: u32,
        snapshot_every: u32,
        snapshot: Bytes,
        records: Vec<Bytes>,
    ) -> Result<Self, DecodeError> {
        let count = records.iter().map(|events| count_events(events)).sum::<Result<_, _>>()?;
        Ok(Self { version, snapshot_every, snapshot, stored: true, records, count })
    }

    /// Of a state of this version of which nothing is stored, or something of an older version.
    pub(super) fn unstored(
        version: u32,
        snapshot_every: u32,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
    ) -> Result<Self, EncodeError> {
        let snapshot = saved(version, save)?.into();
        Ok(Self { version, snapshot_every, snapshot, stored: false, records: Vec::new(), count: 0 })
    }

    /// The last snapshot, and the events after it.
    pub(super) fn kept(&self) -> (Bytes, &[Bytes]) {
        (self.snapshot.clone(), &self.records)
    }

    /// What the next record says of what happened, encoded; it takes `bytes_max` at most.
    pub(super) fn next(
        &mut self,
        happened: Happened,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, Unrecorded> {
        let Happened { events, count } = happened;
        if count == 0 {
            return Ok(None);
        }
        if self.stored && self.count + count < self.snapshot_every as usize {
            within(events.len(), bytes_max)?;
            let change = ChangeBytes::Events(&events).encode()?;
            self.records.push(events.into());
            self.count += count;
            return Ok(Some(change));
        }
        let state = saved(self.version, save)?;
        within(state.len(), bytes_max)?;
        let change = ChangeBytes::Snapshot(StateBytes::decode(&state)?).encode()?;
        (self.snapshot, self.stored, self.count) = (state.into(), true, 0);
        self.records.clear();
        Ok(Some(change))
    }
}

fn saved(version: u32, save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>) -> Result<Vec<u8>, EncodeError> {
    let mut captured = Captured::new(version);
    captured.capture(save)?;
    captured.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::events::add_event;

    fn happened(numbers: &[u64]) -> Happened {
        let mut events = Vec::new();
        numbers.iter().for_each(|number| add_event(number, &mut events).unwrap());
        Happened { events, count: numbers.len() }
    }

    fn save(total: &u64) -> impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError> {
        move |saver| saver.field("total", total)
    }

    /// What a record of these events says, of a state that is `total` after them.
    fn record(history: &mut History, numbers: &[u64], total: u64) -> Vec<u8> {
        history.next(happened(numbers), save(&total), usize::MAX).unwrap().unwrap()
    }

    fn is_snapshot(change: &[u8]) -> bool {
        matches!(ChangeBytes::decode(change).unwrap(), ChangeBytes::Snapshot(_))
    }

    #[test]
    fn the_first_record_is_a_snapshot_and_so_is_each_that_makes_them_so_many() {
        let mut history = History::unstored(1, 4, save(&0)).unwrap();
        assert!(history.next(happened(&[]), save(&0), 0).unwrap().is_none());
        let records = [(&[1][..], 1), (&[1, 1], 3), (&[2], 5), (&[1], 6), (&[4], 10)];
        let kinds = records.map(|(numbers, total)| is_snapshot(&record(&mut history, numbers, total)));
        assert_eq!(kinds, [true, false, false, true, false]);
        let (snapshot, events) = history.kept();
        assert_eq!(snapshot, saved(1, save(&6)).unwrap());
        assert_eq!(events, [happened(&[4]).events]);
    }

    #[test]
    fn what_was_stored_counts_on() {
        let stored = || (Bytes::from(saved(1, save(&0)).unwrap()), vec![Bytes::from(happened(&[1, 2]).events)]);
        let (snapshot, records) = stored();
        let mut history = History::stored(1, 4, snapshot, records).unwrap();
        assert!(!is_snapshot(&record(&mut history, &[3], 6)));
        assert!(is_snapshot(&record(&mut history, &[4], 10)));
        let (snapshot, mut records) = stored();
        records.push(Bytes::from_static(&[9]));
        assert!(History::stored(1, 4, snapshot, records).is_err(), "no events");
    }

    #[test]
    fn every_event_is_a_snapshot_if_that_is_asked_for() {
        let mut history = History::unstored(1, 1, save(&0)).unwrap();
        assert!((1..4).all(|total| is_snapshot(&record(&mut history, &[1], total))));
        assert!(history.kept().1.is_empty());
    }

    #[test]
    fn what_is_too_large_is_not_recorded() {
        let mut history = History::unstored(1, 3, save(&0)).unwrap();
        let refused = |history: &mut History| {
            let next = history.next(happened(&[5]), save(&6), 1);
            assert!(matches!(next, Err(Unrecorded::TooLarge { bytes }) if bytes > 1), "{next:?}");
        };
        refused(&mut history);
        record(&mut history, &[1], 1);
        refused(&mut history);
        record(&mut history, &[2, 3], 6);
        assert_eq!(history.kept(), (saved(1, save(&1)).unwrap().into(), &[happened(&[2, 3]).events.into()][..]));
        refused(&mut history);
    }
}
