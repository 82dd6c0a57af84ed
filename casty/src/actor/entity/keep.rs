//! What of an actor outlives its instance.

use bytes::Bytes;

use crate::actor::{Layout, Persistent, Saver, StateError, state};
use crate::codec::EncodeError;

/// What of an actor `A` outlives its instance.
pub trait Keep<A>: Send + Sync + 'static {
    /// How it is kept; `None` if nothing is.
    const LAYOUT: Option<&'static Layout>;

    /// Hands what is kept to `saver`.
    fn save(actor: &A, saver: &mut Saver<'_>) -> Result<(), EncodeError>;

    /// Puts back what was kept, and applies the events of the records since. Says whether it was kept in this version.
    fn restore(actor: &mut A, kept: &Bytes, records: &[Bytes]) -> Result<bool, StateError>;
}

/// The persistent fields are kept.
pub struct Fields;

/// Nothing is kept: each instance begins anew.
pub struct Nothing;

impl<A: Persistent> Keep<A> for Fields {
    const LAYOUT: Option<&'static Layout> = Some(A::LAYOUT);

    fn save(actor: &A, saver: &mut Saver<'_>) -> Result<(), EncodeError> {
        actor.save(saver)
    }

    fn restore(actor: &mut A, kept: &Bytes, records: &[Bytes]) -> Result<bool, StateError> {
        state::rebuild(actor, kept, records)
    }
}

impl<A> Keep<A> for Nothing {
    const LAYOUT: Option<&'static Layout> = None;

    fn save(_actor: &A, _saver: &mut Saver<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn restore(_actor: &mut A, _kept: &Bytes, _records: &[Bytes]) -> Result<bool, StateError> {
        Ok(true)
    }
}
