//! The calls and returns of a history in the order of time, without those that are already placed.

use std::time::Duration;

use crate::testkit::history::{End, Operation};

/// A place in the timeline. Earlier events have smaller ones.
pub(super) type Position = usize;

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// One of the two ends of the list.
    Edge,
    /// The call of an answered operation, by its number.
    Call(usize),
    /// Its return.
    Return(usize),
    /// The call of an operation of unknown outcome. It is never linked: nothing has to wait for such an operation.
    Unknown,
}

/// An operation that was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answered {
    /// Its index in what was given.
    pub(super) index: usize,
    pub(super) call: Position,
    pub(super) returned: Position,
}

/// An operation of unknown outcome.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unanswered {
    /// Its index in what was given.
    pub(super) index: usize,
    pub(super) call: Position,
}

/// A doubly linked list of calls and returns (Lowe 2017, section 2). An operation leaves it when it is placed and comes back
/// where it was when that is taken back, both in constant time, if the last that left comes back first.
#[derive(Debug)]
pub(super) struct Timeline {
    events: Vec<Event>,
    next: Vec<Position>,
    previous: Vec<Position>,
    /// The answered operations by number, in the order of their calls.
    pub(super) answered: Vec<Answered>,
    /// The others, in the order of their calls.
    pub(super) unanswered: Vec<Unanswered>,
}

impl Timeline {
    pub(super) fn new<I, O>(operations: &[&Operation<I, O>]) -> Self {
        let moments = moments(operations);
        let mut events = vec![Event::Edge];
        let (mut answered, mut unanswered) = (Vec::new(), Vec::new());
        let mut numbers = vec![0; operations.len()];
        for (position, moment) in (1..).zip(moments) {
            let index = moment.index;
            let event = if moment.is_return {
                let number = numbers[index];
                let answered: &mut Answered = &mut answered[number];
                answered.returned = position;
                Event::Return(number)
            } else if matches!(operations[index].end, End::Unknown) {
                unanswered.push(Unanswered { index, call: position });
                Event::Unknown
            } else {
                numbers[index] = answered.len();
                answered.push(Answered { index, call: position, returned: position });
                Event::Call(numbers[index])
            };
            events.push(event);
        }
        events.push(Event::Edge);
        let (next, previous) = links(&events);
        Self { events, next, previous, answered, unanswered }
    }

    pub(super) fn first(&self) -> Position {
        self.next[0]
    }

    pub(super) fn after(&self, position: Position) -> Position {
        self.next[position]
    }

    pub(super) fn event(&self, position: Position) -> Event {
        self.events[position]
    }

    /// The answered operations that may be next: those that were called before any of the rest returned.
    pub(super) fn window(&self) -> impl Iterator<Item = usize> + '_ {
        let mut position = 0;
        std::iter::from_fn(move || {
            position = self.next[position];
            if let Event::Call(number) = self.events[position] { Some(number) } else { None }
        })
    }

    /// Where the first of the rest returns, before which the next operation must have been called.
    pub(super) fn first_return(&self) -> Position {
        let mut position = self.first();
        while let Event::Call(_) = self.events[position] {
            position = self.next[position];
        }
        position
    }

    pub(super) fn lift(&mut self, number: usize) {
        let Answered { call, returned, .. } = self.answered[number];
        self.unlink(call);
        self.unlink(returned);
    }

    pub(super) fn put_back(&mut self, number: usize) {
        let Answered { call, returned, .. } = self.answered[number];
        self.link(returned);
        self.link(call);
    }

    fn unlink(&mut self, position: Position) {
        let (before, after) = (self.previous[position], self.next[position]);
        self.next[before] = after;
        self.previous[after] = before;
    }

    /// An unlinked event remembers its neighbours.
    fn link(&mut self, position: Position) {
        let (before, after) = (self.previous[position], self.next[position]);
        self.next[before] = position;
        self.previous[after] = position;
    }
}

/// When something happened. At one time calls are before returns, since nothing says that the operations did not overlap.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    at: Duration,
    is_return: bool,
    index: usize,
}

fn moments<I, O>(operations: &[&Operation<I, O>]) -> Vec<Moment> {
    let calls = operations.iter().enumerate();
    let mut moments: Vec<_> =
        calls.map(|(index, operation)| Moment { at: operation.call, is_return: false, index }).collect();
    for (index, operation) in operations.iter().enumerate() {
        if let End::Returned { at, .. } = operation.end {
            // Times that were read from somewhere may be odd. A return before its call is one at its call.
            moments.push(Moment { at: at.max(operation.call), is_return: true, index });
        }
    }
    moments.sort();
    moments
}

fn links(events: &[Event]) -> (Vec<Position>, Vec<Position>) {
    let (mut next, mut previous) = (vec![0; events.len()], vec![0; events.len()]);
    let mut last = 0;
    for (position, event) in events.iter().enumerate().skip(1) {
        if *event != Event::Unknown {
            (next[last], previous[position]) = (position, last);
            last = position;
        }
    }
    (next, previous)
}
