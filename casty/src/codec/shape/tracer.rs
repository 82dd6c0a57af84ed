//! Runs that make up one value after the other, until nothing new is seen.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use super::deserializer::Asked;
use super::nodes::{Key, Nodes, Variant};

/// The most values that are made up. Each shows something new, but for the last few.
const RUNS_MAX: usize = 4_096;

/// How deep values may be within one another: deeper is a type that contains itself without end.
const DEPTH_MAX: usize = 64;

/// What values are made of. A type that refuses some may take others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) number: u8,
    pub(super) text: &'static str,
    /// Collections have an element, and options a value.
    pub(super) full: bool,
}

const KINDS: [Made; 3] = [
    Made { number: 0, text: "", full: true },
    Made { number: 1, text: "a", full: true },
    Made { number: 1, text: "a", full: false },
];

/// What has been seen of a type, and where in a value the present run is.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) nodes: Nodes,
    pub(super) made: Made,
    /// The collections, options and enums that the run is within.
    pub(super) within: Vec<Key>,
    depth: usize,
    /// How many values of enums were finished.
    finished: u32,
    runs: usize,
}

impl Tracer {
    /// Looks at `T` until nothing new is seen.
    pub(super) fn trace<T: DeserializeOwned>() -> Self {
        let mut tracer =
            Self { nodes: Nodes::new(), made: KINDS[0], within: Vec::new(), depth: 0, finished: 0, runs: 0 };
        let mut before = None;
        while before != Some(tracer.nodes.news) {
            before = Some(tracer.nodes.news);
            KINDS.into_iter().for_each(|made| tracer.look::<T>(made));
        }
        tracer
    }

    /// Makes values of this kind until every variant has had its turn and nothing new was seen.
    fn look<T: DeserializeOwned>(&mut self, made: Made) {
        let mut idle = 0;
        while idle <= self.nodes.widest() && self.runs < RUNS_MAX {
            let before = self.nodes.news;
            (self.made, self.depth, self.runs) = (made, 0, self.runs + 1);
            self.within.clear();
            // Whether it became a value does not matter, nor that the user's code may panic on one.
            let _ = catch_unwind(AssertUnwindSafe(|| T::deserialize(Asked::root(self)).is_ok()));
            idle = if self.nodes.news == before { idle + 1 } else { 0 };
        }
    }

    /// Goes one deeper, if that is allowed still.
    pub(super) fn enter(&mut self) -> bool {
        self.depth += 1;
        self.depth <= DEPTH_MAX
    }

    /// Comes back from there.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The variant that a value of an enum is to be: one that was never seen, else each in its turn. Within a value of the
    /// same enum, the one that was finished first, since it contains no other: so the value has an end.
    pub(super) fn choose(&mut self, key: Key) -> usize {
        let variants = self.nodes.definitions.get(key).map_or(&[][..], |it| &it.variants);
        let inside = self.within.contains(&key);
        let rank = |at: &usize| match &variants[*at] {
            variant if variant.begun == 0 => (0, 0),
            Variant { finished: Some(finished), .. } if inside => (1, *finished),
            variant => (2, variant.begun),
        };
        let chosen = (0..variants.len()).min_by_key(rank).unwrap_or(0);
        if let Some(variant) = self.nodes.variant(key, chosen) {
            let first = variant.begun == 0;
            variant.begun += 1;
            self.nodes.news += u32::from(first);
        }
        chosen
    }

    /// A value of this variant is there.
    pub(super) fn finish(&mut self, key: Key, variant: usize) {
        self.finished += 1;
        let order = self.finished;
        if let Some(variant) = self.nodes.variant(key, variant) {
            variant.finished.get_or_insert(order);
        }
    }
}
