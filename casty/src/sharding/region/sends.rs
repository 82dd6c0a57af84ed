//! Keeps what the handlers of one cell sent in order, though commits and read indexes end in any order.

use std::collections::BTreeMap;

use crate::actor::scope::Held;

/// The sends of one handler, with their place among those of its cell.
pub(super) struct Parcel {
    /// Parcels of one cell are numbered from 1.
    pub(super) number: u64,
    pub(super) sends: Vec<Held>,
}

/// The parcels of one cell on their way out. A parcel waits for all that were numbered before it.
#[derive(Default)]
pub(super) struct Sends {
    numbered: u64,
    let_go: u64,
    /// Free to go, but for parcels before them.
    waiting: BTreeMap<u64, Parcel>,
}

impl Sends {
    /// Numbers what a handler sent; `None` if it sent nothing.
    pub(super) fn number(&mut self, sends: Vec<Held>) -> Option<Parcel> {
        if sends.is_empty() {
            return None;
        }
        self.numbered += 1;
        Some(Parcel { number: self.numbered, sends })
    }

    /// The world may see this parcel. Gives all that may leave now, in order.
    pub(super) fn free(&mut self, parcel: Parcel) -> Vec<Parcel> {
        self.waiting.insert(parcel.number, parcel);
        let mut leaving = Vec::new();
        while let Some(next) = self.waiting.remove(&(self.let_go + 1)) {
            self.let_go += 1;
            leaving.push(next);
        }
        leaving
    }

    /// How many were numbered.
    pub(super) fn numbered(&self) -> u64 {
        self.numbered
    }

    /// Gives what is free, though it waits for parcels that will never be.
    pub(super) fn take_free(&mut self) -> impl Iterator<Item = Parcel> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(sends: &mut Sends) -> Parcel {
        sends.number(vec![Box::new(|| Box::pin(async {}))]).unwrap()
    }

    fn numbers(parcels: impl IntoIterator<Item = Parcel>) -> Vec<u64> {
        parcels.into_iter().map(|parcel| parcel.number).collect()
    }

    #[test]
    fn parcels_leave_in_the_order_of_their_handlers() {
        let mut sends = Sends::default();
        let [first, second, third] = std::array::from_fn(|_| parcel(&mut sends));
        assert_eq!(numbers(sends.free(second)), []);
        assert_eq!(numbers(sends.free(first)), [1, 2]);
        assert_eq!(numbers(sends.free(third)), [3]);
    }

    #[test]
    fn what_is_free_is_not_lost_with_what_was_before_it() {
        let mut sends = Sends::default();
        let [_lost, second, third] = std::array::from_fn(|_| parcel(&mut sends));
        sends.free(third);
        sends.free(second);
        assert_eq!(numbers(sends.take_free()), [2, 3]);
    }

    #[test]
    fn a_handler_that_sent_nothing_has_no_parcel() {
        assert!(Sends::default().number(Vec::new()).is_none());
    }
}
