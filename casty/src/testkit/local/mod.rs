//! Tests of actors in one process.

mod kit;
mod probe;
mod received;
mod stub;
mod test_actor;
mod unmet;

pub use kit::TestKit;
pub use probe::{Catcher, CatcherHandle, Probe};
pub use received::Received;
pub use stub::Stub;
pub use test_actor::TestActor;
pub use unmet::Unmet;
