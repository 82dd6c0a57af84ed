//! State that a program takes out of its actor and puts back by itself.

use super::{Layout, OldState, Saver, StateError};
use crate::actor::Persistent;
use crate::codec::EncodeError;

/// An actor whose state is not simply some of its fields.
///
/// In place of [`#[persistent]`](macro@crate::persistent) on the actor, which then stands on [`Kept`](Self::Kept): what
/// is kept has fields and a version as any state has, but no events. `get_state` runs after every handler that may change something,
/// so it should be cheap.
///
/// ```
/// use casty::actor::State;
/// use casty::prelude::*;
///
/// struct Thermometer {
///     millikelvin: u64,
/// }
///
/// #[persistent]
/// struct Reading {
///     kelvin: f64,
/// }
///
/// impl State for Thermometer {
///     type Kept = Reading;
///
///     fn get_state(&self) -> Reading {
///         Reading { kelvin: self.millikelvin as f64 / 1000.0 }
///     }
///
///     fn set_state(&mut self, reading: Reading) {
///         self.millikelvin = (reading.kelvin * 1000.0) as u64;
///     }
/// }
/// ```
pub trait State: Sized {
    /// What is kept: a struct with `#[persistent]`.
    type Kept: Persistent;

    /// What is to be kept now.
    fn get_state(&self) -> Self::Kept;

    /// Takes over what was kept.
    fn set_state(&mut self, kept: Self::Kept);
}

#[diagnostic::do_not_recommend]
impl<A: State> Persistent for A {
    const LAYOUT: &'static Layout = {
        let layout = <A::Kept as Persistent>::LAYOUT;
        assert!(layout.events.is_none(), "state by hand is replaced whole, and has no events");
        layout
    };

    fn save(&self, saver: &mut Saver<'_>) -> Result<(), EncodeError> {
        self.get_state().save(saver)
    }

    fn load(&mut self, state: &mut OldState) -> Result<(), StateError> {
        let mut kept = self.get_state();
        kept.load(state)?;
        self.set_state(kept);
        Ok(())
    }
}
