//! The actors under test.

use casty::prelude::*;

/// A room with a name of its own.
pub(crate) struct Room(pub(crate) String);

#[actor(name = "names.Room")]
impl Room {
    #[message]
    fn topic(&self) -> String {
        self.0.clone()
    }
}

/// Something else.
pub(crate) struct Cellar;

#[actor(name = "names.Cellar")]
impl Cellar {
    #[message]
    fn bottles(&self) -> u64 {
        7
    }
}

/// What works on its own node only.
pub(crate) struct Private;

#[actor(local)]
impl Private {
    #[message]
    fn number(&self) -> u64 {
        1
    }
}
