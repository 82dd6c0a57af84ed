//! The search for an order of the operations that the model allows.

use super::Model;
use super::bitset::Bitset;
use super::budget::{Budget, OutOfBudget};
use super::memo::{Memo, StateId, States, Taken};
use super::optional::Optional;
use super::timeline::{Event, Position, Timeline};
use crate::testkit::history::{End, Operation};

/// A depth-first search (Wing and Gong 1993, section 4.1) that visits no configuration twice (Lowe 2017, section 3).
///
/// Operations of unknown outcome are placed only where no answered one can follow, and at first only few in a row; the most in a
/// row is raised when a search fails that it has cut short. So a history that needs few of them does not pay for the many
/// combinations of all.
pub(super) struct Search<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) operations: &'a [&'a Operation<M::Input, M::Output>],
    pub(super) timeline: Timeline,
    pub(super) optional: Optional,
    pub(super) states: States<M::State>,
    pub(super) furthest: Option<Furthest>,
    memo: Memo,
    budget: &'a mut Budget,
    /// The answered operations that are placed, by number.
    placed: Bitset,
    placed_count: usize,
    taken: Taken,
    state: StateId,
    stack: Vec<Frame>,
    row_max: u32,
    /// Whether `row_max` kept anything from being tried.
    cut_short: bool,
}

/// The most answered operations that could be placed, and where the search stood then.
pub(super) struct Furthest {
    pub(super) answered: usize,
    /// The steps so far, as indices of operations.
    pub(super) order: Vec<usize>,
    pub(super) state: StateId,
    /// The answered operations that could not follow, by number.
    pub(super) stuck: Vec<usize>,
    /// The operations of unknown outcome that were left, as indices.
    pub(super) left: Vec<usize>,
}

#[derive(Clone, Copy)]
enum Step {
    /// An answered operation, by number.
    Answered(usize),
    /// The next operation of a class of [`Optional`].
    Unknown(usize),
}

/// A step that was made, and what it takes to make it undone.
struct Frame {
    step: Step,
    state: StateId,
    row: u32,
    /// Whether nothing else needs to be tried in its place.
    only: bool,
}

/// A step that can be made.
struct Choice {
    step: Step,
    state: StateId,
    only: bool,
}

/// What to try next from here.
enum Cursor {
    Start,
    /// The answered operation called at this position, then the later ones, then those of unknown outcome.
    Call(Position),
    /// Operations of unknown outcome from this class on.
    Unknown(usize),
}

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(
        model: &'a M,
        operations: &'a [&'a Operation<M::Input, M::Output>],
        budget: &'a mut Budget,
    ) -> Self {
        let timeline = Timeline::new(operations);
        let optional = Optional::new(model, operations, &timeline);
        let mut states = States::new();
        let state = states.id(model.start());
        Self {
            model,
            operations,
            optional,
            states,
            furthest: None,
            memo: Memo::default(),
            budget,
            placed: Bitset::new(timeline.answered.len()),
            placed_count: 0,
            taken: Taken { unknown: Bitset::new(timeline.unanswered.len()), row: 0 },
            state,
            stack: Vec::new(),
            row_max: 1,
            cut_short: false,
            timeline,
        }
    }

    /// Whether there is an order that the model allows.
    pub(super) fn run(&mut self) -> Result<bool, OutOfBudget> {
        loop {
            if self.run_once()? {
                return Ok(true);
            }
            if !self.cut_short {
                return Ok(false);
            }
            (self.cut_short, self.row_max) = (false, self.row_max.saturating_mul(2));
            self.memo.clear();
        }
    }

    /// Whether there is one with at most `row_max` operations of unknown outcome in a row.
    fn run_once(&mut self) -> Result<bool, OutOfBudget> {
        let mut cursor = Cursor::Start;
        while self.placed_count < self.timeline.answered.len() {
            cursor = match self.choose(cursor)? {
                Some(choice) => {
                    self.place(choice);
                    Cursor::Start
                }
                None => {
                    self.note_furthest();
                    match self.take_back() {
                        Some(cursor) => cursor,
                        None => return Ok(false),
                    }
                }
            };
        }
        Ok(true)
    }

    /// The first step at or behind the cursor that leads to where the search has not been.
    fn choose(&mut self, cursor: Cursor) -> Result<Option<Choice>, OutOfBudget> {
        let (from, class) = match cursor {
            Cursor::Start => {
                if self.is_hopeless() {
                    return Ok(None);
                }
                if let Some((number, state)) = self.matching_read()? {
                    let choice = Choice { step: Step::Answered(number), state, only: true };
                    return Ok(self.visit_answered(number, state).then_some(choice));
                }
                (Some(self.timeline.first()), 0)
            }
            Cursor::Call(position) => (Some(position), 0),
            Cursor::Unknown(class) => (None, class),
        };
        if let Some(choice) = from.map(|from| self.choose_answered(from)).transpose()?.flatten() {
            return Ok(Some(choice));
        }
        self.choose_unknown(class)
    }

    /// Whether an operation that must come soon can no longer return what it did.
    fn is_hopeless(&self) -> bool {
        let state = self.states.get(self.state);
        self.timeline.window().any(|number| {
            let operation = self.answered(number);
            matches!(&operation.end, End::Returned { output, .. }
                if !self.model.may_yet_return(state, &operation.input, output))
        })
    }

    /// A read that may be next and returned what is there. It can be placed at once: whatever order there is, it stays right
    /// when the read moves here, for it changes nothing where it leaves and nothing where it comes.
    fn matching_read(&mut self) -> Result<Option<(usize, StateId)>, OutOfBudget> {
        for number in self.timeline.window() {
            let operation = self.operations[self.timeline.answered[number].index];
            if self.model.is_read(&operation.input) {
                self.budget.step()?;
                let (_, output) = self.model.apply(self.states.get(self.state), &operation.input);
                if matches!(&operation.end, End::Returned { output: seen, .. } if *seen == output) {
                    return Ok(Some((number, self.state)));
                }
            }
        }
        Ok(None)
    }

    fn choose_answered(&mut self, from: Position) -> Result<Option<Choice>, OutOfBudget> {
        let mut position = from;
        while let Event::Call(number) = self.timeline.event(position) {
            position = self.timeline.after(position);
            let operation = self.answered(number);
            // A read that returned what is here was placed at the start; another cannot be.
            if self.model.is_read(&operation.input) {
                continue;
            }
            self.budget.step()?;
            let (state, output) = self.model.apply(self.states.get(self.state), &operation.input);
            if matches!(&operation.end, End::Returned { output: seen, .. } if *seen == output) {
                let state = self.states.id(state);
                if self.visit_answered(number, state) {
                    return Ok(Some(Choice { step: Step::Answered(number), state, only: false }));
                }
            }
        }
        Ok(None)
    }

    fn choose_unknown(&mut self, from: usize) -> Result<Option<Choice>, OutOfBudget> {
        if self.optional.is_empty() {
            return Ok(None);
        }
        let bound = self.timeline.first_return();
        for class in from..self.optional.classes() {
            let Some((number, unanswered)) = self.optional.next(class, bound) else { continue };
            let Some(state) = self.effect(unanswered.index)? else { continue };
            if self.taken.row == self.row_max {
                self.cut_short = true;
                return Ok(None);
            }
            let mut taken = Taken { unknown: self.taken.unknown.clone(), row: self.taken.row + 1 };
            taken.unknown.insert(number);
            if self.memo.visit(self.placed.short(), state, taken) {
                return Ok(Some(Choice { step: Step::Unknown(class), state, only: false }));
            }
        }
        Ok(None)
    }

    /// The state after an operation of unknown outcome, if placing it here can be of any use. It is of none if it changes
    /// nothing, or if it makes the last step of its kind undone: then the one without that step is better.
    fn effect(&mut self, index: usize) -> Result<Option<StateId>, OutOfBudget> {
        let (model, input) = (self.model, &self.operations[index].input);
        self.budget.step()?;
        let state = model.apply(self.states.get(self.state), input).0;
        let state = self.states.id(state);
        if state == self.state {
            return Ok(None);
        }
        if let Some(Frame { step: Step::Unknown(_), state: before, .. }) = self.stack.last() {
            self.budget.step()?;
            if model.apply(self.states.get(*before), input).0 == *self.states.get(state) {
                return Ok(None);
            }
        }
        Ok(Some(state))
    }

    fn visit_answered(&mut self, number: usize, state: StateId) -> bool {
        self.placed.insert(number);
        let placed = self.placed.short();
        self.placed.remove(number);
        self.memo.visit(placed, state, Taken { unknown: self.taken.unknown.clone(), row: 0 })
    }

    fn place(&mut self, choice: Choice) {
        let Choice { step, state, only } = choice;
        self.stack.push(Frame { step, state: self.state, row: self.taken.row, only });
        self.state = state;
        match step {
            Step::Answered(number) => {
                self.placed.insert(number);
                self.placed_count += 1;
                self.timeline.lift(number);
                self.taken.row = 0;
            }
            Step::Unknown(class) => {
                self.taken.unknown.insert(self.optional.take(class));
                self.taken.row += 1;
            }
        }
    }

    /// Undoes steps until there is another to try. `None` if there is none.
    fn take_back(&mut self) -> Option<Cursor> {
        while let Some(Frame { step, state, row, only }) = self.stack.pop() {
            (self.state, self.taken.row) = (state, row);
            let cursor = match step {
                Step::Answered(number) => {
                    self.placed.remove(number);
                    self.placed_count -= 1;
                    self.timeline.put_back(number);
                    Cursor::Call(self.timeline.after(self.timeline.answered[number].call))
                }
                Step::Unknown(class) => {
                    self.taken.unknown.remove(self.optional.put_back(class));
                    Cursor::Unknown(class + 1)
                }
            };
            if !only {
                return Some(cursor);
            }
        }
        None
    }

    fn note_furthest(&mut self) {
        if self.furthest.as_ref().is_some_and(|furthest| furthest.answered >= self.placed_count) {
            return;
        }
        self.furthest = Some(Furthest {
            answered: self.placed_count,
            order: self.order(),
            state: self.state,
            stuck: self.timeline.window().collect(),
            left: self.optional.left(self.timeline.first_return()),
        });
    }

    /// The placed operations in order, as indices. Of a class they were placed in the order of their calls.
    fn order(&self) -> Vec<usize> {
        let mut used = vec![0; self.optional.classes()];
        let index = |frame: &Frame| match frame.step {
            Step::Answered(number) => self.timeline.answered[number].index,
            Step::Unknown(class) => {
                used[class] += 1;
                self.optional.member(class, used[class] - 1)
            }
        };
        self.stack.iter().map(index).collect()
    }

    fn answered(&self, number: usize) -> &'a Operation<M::Input, M::Output> {
        self.operations[self.timeline.answered[number].index]
    }
}
