//! Random numbers for code that can be handed no generator.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;

use rand::rngs::StdRng;
use rand::{SeedableRng, TryRng};

thread_local! {
    static GENERATOR: RefCell<StdRng> = RefCell::new(StdRng::from_rng(&mut rand::rng()));
    static SEEDED: Cell<bool> = const { Cell::new(false) };
}

/// The generator of the running thread. The system seeds it, unless a simulation did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThreadRng;

impl ThreadRng {
    /// What is drawn on this thread from now on follows from `seed`.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn seed(seed: u64) {
        GENERATOR.set(StdRng::seed_from_u64(seed));
        SEEDED.set(true);
    }

    /// Whether what this thread does has to be the same whenever it begins with the same seed.
    pub(crate) fn is_seeded() -> bool {
        SEEDED.get()
    }
}

impl TryRng for ThreadRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        GENERATOR.with_borrow_mut(StdRng::try_next_u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        GENERATOR.with_borrow_mut(StdRng::try_next_u64)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        GENERATOR.with_borrow_mut(|generator| generator.try_fill_bytes(bytes))
    }
}
