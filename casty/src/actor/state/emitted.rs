//! What the handler that runs has emitted.

use serde::Serialize;

use super::saver::{Captured, Saver};
use super::{EventSourced, Layout};
use crate::actor::Persistent;
use crate::base::stable_hash;
use crate::codec::EncodeError;
use crate::codec::events::add_event;

/// Up to this size a state is looked at in debug builds before and after each of its events, in bytes.
const WATCHED_BYTES_MAX: usize = 64 << 10;

/// Events, and whether anything else has changed the state.
#[derive(Debug, Default)]
pub(in crate::actor) struct Emitted {
    events: Vec<u8>,
    count: usize,
    /// Why the handler cannot count.
    wrong: Option<String>,
    /// A fingerprint of the state as events left it; `None` if nobody looks.
    left: Option<u64>,
}

/// The events of one handler.
#[derive(Debug, Default)]
pub(in crate::actor) struct Happened {
    /// One behind the other.
    pub(in crate::actor) events: Vec<u8>,
    /// How many there are.
    pub(in crate::actor) count: usize,
}

impl Emitted {
    /// Takes an event down, and applies it.
    pub(in crate::actor) fn emit<A: Persistent + EventSourced>(&mut self, actor: &mut A, event: A::Event)
    where
        A::Event: Serialize,
    {
        self.look(|saver| actor.save(saver));
        if let Err(error) = add_event(&event, &mut self.events) {
            self.wrong.get_or_insert(error.to_string());
        }
        self.count += 1;
        actor.apply(event);
        if self.left.is_some() {
            self.watch(|saver| actor.save(saver));
        }
    }

    /// From now on, what `save` saves is to be changed by events alone.
    pub(in crate::actor) fn watch(&mut self, save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>) {
        self.left = if cfg!(debug_assertions) { fingerprint(save) } else { None };
    }

    /// Notes whether it was changed otherwise.
    fn look(&mut self, save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>) {
        if let Some(left) = self.left
            && fingerprint(save) != Some(left)
        {
            let wrong = "it changed state that only events change: emit one, and change the fields in `apply`";
            self.wrong.get_or_insert(wrong.to_owned());
        }
    }

    /// The handler has ended: what happened, or why that cannot count.
    pub(in crate::actor) fn take(
        &mut self,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
    ) -> Result<Happened, String> {
        self.look(save);
        let happened = Happened { events: std::mem::take(&mut self.events), count: std::mem::take(&mut self.count) };
        self.wrong.take().map_or(Ok(happened), Err)
    }

    /// The handler counts for nothing.
    pub(in crate::actor) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A fingerprint of a state that is small enough.
fn fingerprint(save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>) -> Option<u64> {
    let mut captured = Captured::new(Layout::NONE.version);
    captured.capture(save).ok()?;
    let bytes = captured.encode().ok()?;
    (bytes.len() <= WATCHED_BYTES_MAX).then(|| stable_hash(&bytes))
}

#[cfg(test)]
mod tests {
    use super::super::{Emits, OldState, StateError};
    use super::*;
    use crate::codec::events::events_in;

    #[derive(Default)]
    struct Sum {
        total: u64,
        text: String,
    }

    impl Persistent for Sum {
        const LAYOUT: &'static Layout = &Layout::NONE;

        fn save(&self, saver: &mut Saver<'_>) -> Result<(), EncodeError> {
            saver.field("total", &self.total)?;
            saver.field("text", &self.text)
        }

        fn load(&mut self, _state: &mut OldState) -> Result<(), StateError> {
            Ok(())
        }
    }

    impl Emits for Sum {
        type Event = u8;
    }

    impl EventSourced for Sum {
        fn apply(&mut self, event: u8) {
            self.total += u64::from(event);
        }
    }

    /// A sum whose text is so long, and is watched.
    fn watched(text: usize) -> (Sum, Emitted) {
        let (sum, mut emitted) = (Sum { total: 0, text: "x".repeat(text) }, Emitted::default());
        emitted.watch(|saver| sum.save(saver));
        (sum, emitted)
    }

    fn take(sum: &Sum, emitted: &mut Emitted) -> Result<Happened, String> {
        emitted.take(|saver| sum.save(saver))
    }

    #[test]
    fn events_are_taken_in_their_order_and_once() {
        let (mut sum, mut emitted) = watched(0);
        [1, 2].into_iter().for_each(|event| emitted.emit(&mut sum, event));
        let happened = take(&sum, &mut emitted).unwrap();
        assert_eq!((happened.count, sum.total), (2, 3));
        assert_eq!(events_in(&happened.events).map(Result::unwrap).collect::<Vec<_>>(), [[1], [2]]);
        assert_eq!(take(&sum, &mut emitted).unwrap().count, 0);
    }

    #[test]
    fn a_change_beside_the_events_is_found() {
        let by_itself: [fn(&mut Sum, &mut Emitted); 3] = [
            |sum, _| sum.total += 1,
            |sum, emitted| {
                emitted.emit(sum, 1);
                sum.total += 1;
            },
            |sum, emitted| {
                sum.total += 1;
                emitted.emit(sum, 1);
            },
        ];
        for change in by_itself {
            let (mut sum, mut emitted) = watched(0);
            change(&mut sum, &mut emitted);
            assert!(take(&sum, &mut emitted).unwrap_err().contains("only events change"));
        }
    }

    #[test]
    fn a_large_state_is_not_watched() {
        let (mut sum, mut emitted) = watched(WATCHED_BYTES_MAX);
        sum.total += 1;
        emitted.emit(&mut sum, 1);
        assert_eq!(take(&sum, &mut emitted).unwrap().count, 1);
    }
}
