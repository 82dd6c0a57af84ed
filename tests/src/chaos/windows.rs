//! For how long writes were not answered.

use std::collections::BTreeMap;
use std::time::Duration;

use casty::testkit::history::{End, Operation};
use casty::testkit::linearizability::models::{AppendListInput, CounterInput, RegisterInput};
use casty::testkit::workload::{AccountInput, Recording};

/// The answered writes of one object: when each was called, and when it was answered.
type Writes = Vec<(Duration, Duration)>;

/// The answered writes of all objects, by their ids.
pub(super) struct Windows(BTreeMap<String, Writes>);

impl Windows {
    pub(super) fn of(recording: &Recording) -> Self {
        let mut all = BTreeMap::new();
        collect(&mut all, &recording.registers, |input| !matches!(input, RegisterInput::Read));
        collect(&mut all, &recording.counters, |input| !matches!(input, CounterInput::Read));
        collect(&mut all, &recording.lists, |input| !matches!(input, AppendListInput::Read));
        collect(&mut all, &recording.accounts, |input| !matches!(input, AccountInput::Balance));
        Self(all)
    }

    /// For each object the longest part of this time in which no write was answered.
    pub(super) fn longest_silences(&self, from: Duration, to: Duration) -> BTreeMap<String, Duration> {
        let of = |writes: &Writes| {
            let mut ends: Vec<_> = writes.iter().map(|(_, at)| *at).filter(|at| (from..to).contains(at)).collect();
            ends.extend([from, to]);
            ends.sort_unstable();
            ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
        };
        self.0.iter().map(|(object, writes)| (object.clone(), of(writes))).collect()
    }

    /// How long it took until every object had answered a write that was called after this moment. `Err` names an object
    /// that never did.
    pub(super) fn all_written_after(&self, moment: Duration) -> Result<Duration, &str> {
        let mut longest = Duration::ZERO;
        for (object, writes) in &self.0 {
            let later = writes.iter().filter(|(call, _)| *call >= moment);
            let first = later.map(|(_, at)| *at - moment).min().ok_or(object.as_str())?;
            longest = longest.max(first);
        }
        Ok(longest)
    }
}

fn collect<I, O>(
    all: &mut BTreeMap<String, Writes>,
    objects: &BTreeMap<String, Vec<Operation<I, O>>>,
    is_write: impl Fn(&I) -> bool,
) {
    for (object, operations) in objects {
        let writes = operations.iter().filter_map(|operation| match &operation.end {
            End::Returned { at, .. } if is_write(&operation.input) => Some((operation.call, *at)),
            _ => None,
        });
        all.insert(object.clone(), writes.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn windows(writes: &[(u64, u64)]) -> Windows {
        Windows([("a".to_owned(), writes.iter().map(|(call, at)| (ms(*call), ms(*at))).collect())].into())
    }

    #[test]
    fn a_silence_may_stand_at_either_end() {
        let longest = |writes: &[(u64, u64)]| windows(writes).longest_silences(ms(100), ms(200))["a"];
        assert_eq!(longest(&[]), ms(100));
        assert_eq!(longest(&[(0, 130), (0, 140), (0, 190)]), ms(50));
        assert_eq!(longest(&[(0, 180)]), ms(80));
        assert_eq!(longest(&[(0, 110)]), ms(90));
    }

    #[test]
    fn only_what_was_called_later_shows_that_writes_are_answered_again() {
        assert_eq!(windows(&[(90, 120), (101, 150), (102, 140)]).all_written_after(ms(100)), Ok(ms(40)));
        assert_eq!(windows(&[(90, 120)]).all_written_after(ms(100)), Err("a"));
    }
}
