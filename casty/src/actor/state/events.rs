//! State that only events change.

use std::any::type_name;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::StateError;
use crate::actor::Persistent;
use crate::codec::decode;
use crate::codec::events::events_in;

/// An actor whose state is what events made of it: a handler [emits](crate::Ctx::emit) them, and `apply` does what they say.
///
/// `#[persistent(events = …)]` on the struct says which type they have. What an entity emits is recorded in place of the
/// fields that change, so a write costs its events, however large the state is. A snapshot of the fields takes the place of
/// the events every so often (`snapshot_every = 1000`, if nothing else is said).
///
/// ```
/// use casty::prelude::*;
///
/// #[message]
/// pub enum LedgerEvent {
///     Booked { text: String, cents: i64 },
/// }
///
/// #[persistent(events = LedgerEvent)]
/// pub struct Ledger {
///     lines: Vec<(String, i64)>,
///     cents: i64,
/// }
///
/// impl EventSourced for Ledger {
///     fn apply(&mut self, event: LedgerEvent) {
///         match event {
///             LedgerEvent::Booked { text, cents } => {
///                 self.lines.push((text, cents));
///                 self.cents += cents;
///             }
///         }
///     }
/// }
///
/// #[actor]
/// impl Ledger {
///     fn new(_: EntityId) -> Self {
///         Self { lines: Vec::new(), cents: 0 }
///     }
///
///     #[message]
///     fn book(&mut self, text: String, cents: i64, ctx: &mut Ctx<Self>) -> i64 {
///         ctx.emit(self, LedgerEvent::Booked { text, cents });
///         self.cents
///     }
/// }
/// ```
///
/// What `apply` does follows from the state and the event alone: it runs again, on whichever node makes the actor anew, out of
/// the last snapshot and the events after it. It asks no clock, sends nothing, and does not panic, or the entity cannot start.
///
/// A handler changes the state by events alone. What it changes otherwise is recorded by no write, and is there or gone when the
/// actor is next made anew. Where casty is built with debug assertions, a handler that did so fails, as if it had
/// panicked, while the state takes 64 KiB at most.
#[diagnostic::on_unimplemented(
    message = "nothing applies events to `{Self}`",
    label = "it has no `apply`",
    note = "name its events, `#[persistent(events = …)]`, and write `impl EventSourced for {Self} {{ fn apply(&mut self, event: …) {{ … }} }}`"
)]
pub trait EventSourced: Emits {
    /// Does what `event` says.
    fn apply(&mut self, event: Self::Event);
}

/// State that has events. `#[persistent(events = …)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no events",
    label = "no type of events is given for this state",
    note = "say which: `#[persistent(events = …)]` on `struct {Self}`"
)]
pub trait Emits {
    /// What happens to it.
    type Event;
}

/// Reads an event as version `stored` recorded it. Called by generated code.
pub fn read_event<A, O: DeserializeOwned, E>(stored: u32, bytes: &[u8], upcast: fn(O) -> E) -> Result<E, StateError> {
    let unreadable = |source| StateError::Event { of: type_name::<A>(), stored, source };
    decode(bytes).map(upcast).map_err(unreadable)
}

/// Applies the events of several records, which version `stored` recorded.
pub(super) fn replay<A: Persistent>(actor: &mut A, stored: u32, records: &[Bytes]) -> Result<(), StateError> {
    for events in records {
        for event in events_in(events) {
            let event = event.map_err(|source| StateError::Damaged { of: type_name::<A>(), source })?;
            actor.replay(stored, event)?;
        }
    }
    Ok(())
}
