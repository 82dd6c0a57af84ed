//! What of an actor outlives its instance.

use crate::actor::Persistent;
use crate::codec::{DecodeError, EncodeError};

/// What of an actor `A` outlives its instance.
pub trait Keep<A>: Send + Sync + 'static {
    /// Appends what is kept to `out`.
    fn save(actor: &A, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Puts back what was kept.
    fn load(actor: &mut A, bytes: &[u8]) -> Result<(), DecodeError>;
}

/// The persistent fields are kept.
pub struct Fields;

/// Nothing is kept: each instance begins anew.
pub struct Nothing;

impl<A: Persistent> Keep<A> for Fields {
    fn save(actor: &A, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        actor.save(out)
    }

    fn load(actor: &mut A, bytes: &[u8]) -> Result<(), DecodeError> {
        actor.load(bytes)
    }
}

impl<A> Keep<A> for Nothing {
    fn save(_actor: &A, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn load(_actor: &mut A, _bytes: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }
}
