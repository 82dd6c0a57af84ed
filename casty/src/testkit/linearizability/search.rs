//! The search for an order of the operations that the model allows.

use super::Model;
use super::budget::{Budget, OutOfBudget};
use super::configuration::{Configuration, Step};
use super::memo::{Memo, StateId, States};
use super::queue::{Cursor, Queue};
use super::timeline::{Event, Position};
use super::tree::{ROOT, Tree};
use crate::testkit::history::{End, Operation};

/// A search (Wing and Gong 1993, section 4) that visits no configuration twice (Lowe 2017, section 3).
///
/// Without operations of unknown outcome it goes depth-first, as theirs do. Those are placed only where no answered one can
/// follow, and a configuration that placed fewer of them is looked at first unless it is far behind.
pub(super) struct Search<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) operations: &'a [&'a Operation<M::Input, M::Output>],
    pub(super) states: States<M::State>,
    pub(super) tree: Tree,
    pub(super) furthest: Option<Furthest>,
    memo: Memo,
    queue: Queue,
    budget: &'a mut Budget,
}

/// The most answered operations that could be placed, and where the search stood then. Operations are indices.
#[derive(Debug)]
pub(super) struct Furthest {
    answered: usize,
    /// The steps so far.
    pub(super) order: Vec<usize>,
    pub(super) state: StateId,
    /// The answered operations that could not follow.
    pub(super) stuck: Vec<usize>,
    /// The operations of unknown outcome that were left.
    pub(super) left: Vec<usize>,
}

/// What a look at a node gives.
enum Look {
    /// A step that leads to a new configuration, and where to go on if that fails. Nowhere, if nothing else needs to be tried.
    Step { step: Step, state: StateId, others: Option<Cursor> },
    /// No answered operation can follow here, or none any more.
    AnsweredDone,
    /// Nothing is left.
    Nothing,
}

impl<'a, M: Model> Search<'a, M> {
    pub(super) fn new(
        model: &'a M,
        operations: &'a [&'a Operation<M::Input, M::Output>],
        budget: &'a mut Budget,
    ) -> Self {
        let mut states = States::new();
        let tree = Tree::new(Configuration::new(model, operations), states.id(model.start()));
        let (memo, queue) = (Memo::default(), Queue::default());
        Self { model, operations, states, tree, furthest: None, memo, queue, budget }
    }

    /// Whether there is an order that the model allows.
    pub(super) fn run(&mut self) -> Result<bool, OutOfBudget> {
        let answered = self.tree.configuration.timeline.answered.len();
        if answered == 0 {
            return Ok(true);
        }
        self.queue.push(ROOT, &self.tree.here(), Cursor::Start);
        while let Some((id, cursor)) = self.queue.pop() {
            self.tree.go_to(id);
            if self.is_surpassed() {
                continue;
            }
            match self.look(cursor)? {
                Look::Step { step, state, others } => {
                    others.into_iter().for_each(|cursor| self.queue.push(id, &self.tree.here(), cursor));
                    let child = self.tree.add(step, state);
                    let node = self.tree.node(child);
                    if node.answered == answered {
                        return Ok(true);
                    }
                    self.queue.push(child, &node, Cursor::Start);
                }
                Look::AnsweredDone => {
                    self.note_furthest();
                    self.queue.push(id, &self.tree.here(), Cursor::Unknown(0));
                }
                Look::Nothing => self.note_furthest(),
            }
        }
        Ok(false)
    }

    /// Whether a better configuration was found after this one.
    fn is_surpassed(&self) -> bool {
        let here = self.tree.here();
        if here.unknown == 0 {
            return false;
        }
        let (placed, unknown) = self.tree.configuration.key();
        self.memo.is_surpassed(placed, here.state, &unknown)
    }

    /// The first step at or behind the cursor that leads to where the search has not been.
    fn look(&mut self, cursor: Cursor) -> Result<Look, OutOfBudget> {
        match cursor {
            Cursor::Start if self.is_hopeless() => Ok(Look::Nothing),
            Cursor::Start => match self.matching_read()? {
                Some(step) => Ok(self.visit(step, self.tree.here().state, None).unwrap_or(Look::Nothing)),
                None => self.look_at_answered(self.tree.configuration.timeline.first()),
            },
            Cursor::Call(position) => self.look_at_answered(position),
            Cursor::Unknown(class) => self.look_at_unknown(class),
        }
    }

    /// Whether an operation that must come soon can no longer return what it did.
    fn is_hopeless(&self) -> bool {
        let state = self.states.get(self.tree.here().state);
        self.tree.configuration.timeline.window().any(|number| {
            let operation = self.answered(number);
            matches!(&operation.end, End::Returned { output, .. }
                if !self.model.may_yet_return(state, &operation.input, output))
        })
    }

    /// A read that may be next and returned what is there. It can be placed at once: whatever order there is, it stays right
    /// when the read moves here, for it changes nothing where it leaves and nothing where it comes.
    fn matching_read(&mut self) -> Result<Option<Step>, OutOfBudget> {
        let state = self.states.get(self.tree.here().state);
        for number in self.tree.configuration.timeline.window() {
            let operation = self.answered(number);
            if self.model.is_read(&operation.input) {
                self.budget.step()?;
                if operation.returned(&self.model.apply(state, &operation.input).1) {
                    return Ok(Some(Step::Answered(number)));
                }
            }
        }
        Ok(None)
    }

    fn look_at_answered(&mut self, from: Position) -> Result<Look, OutOfBudget> {
        let mut position = from;
        while let Event::Call(number) = self.tree.configuration.timeline.event(position) {
            position = self.tree.configuration.timeline.after(position);
            let operation = self.answered(number);
            // A read that returned what is here was placed at the start; another cannot be.
            if self.model.is_read(&operation.input) {
                continue;
            }
            self.budget.step()?;
            let (state, output) = self.model.apply(self.states.get(self.tree.here().state), &operation.input);
            if operation.returned(&output) {
                let state = self.states.id(state);
                if let Some(look) = self.visit(Step::Answered(number), state, Some(Cursor::Call(position))) {
                    return Ok(look);
                }
            }
        }
        Ok(if self.tree.configuration.optional.is_empty() { Look::Nothing } else { Look::AnsweredDone })
    }

    fn look_at_unknown(&mut self, from: usize) -> Result<Look, OutOfBudget> {
        let bound = self.tree.configuration.timeline.first_return();
        for class in from..self.tree.configuration.optional.classes() {
            let Some(unanswered) = self.tree.configuration.optional.next(class, bound) else { continue };
            let Some(state) = self.effect(&self.operations[unanswered.index].input)? else { continue };
            if let Some(look) = self.visit(Step::Unknown(class), state, Some(Cursor::Unknown(class + 1))) {
                return Ok(look);
            }
        }
        Ok(Look::Nothing)
    }

    /// The state after an operation of unknown outcome, if placing it here can be of any use. It is of none if it changes
    /// nothing, or if it makes the last step of its kind undone: then the order without that step is better.
    fn effect(&mut self, input: &M::Input) -> Result<Option<StateId>, OutOfBudget> {
        let (here, parent) = (self.tree.here(), self.tree.parent());
        self.budget.step()?;
        let state = self.model.apply(self.states.get(here.state), input).0;
        if state == *self.states.get(here.state) {
            return Ok(None);
        }
        if let Some(Step::Unknown(_)) = here.step {
            self.budget.step()?;
            if self.model.apply(self.states.get(parent.state), input).0 == state {
                return Ok(None);
            }
        }
        Ok(Some(self.states.id(state)))
    }

    /// The step, unless it leads to where the search has been or has been better.
    fn visit(&mut self, step: Step, state: StateId, others: Option<Cursor>) -> Option<Look> {
        let (placed, unknown) = self.tree.configuration.key_after(step);
        self.memo.visit(placed, state, unknown).then_some(Look::Step { step, state, others })
    }

    fn note_furthest(&mut self) {
        let here = self.tree.here();
        if self.furthest.as_ref().is_some_and(|furthest| furthest.answered >= here.answered) {
            return;
        }
        let Configuration { timeline, optional, .. } = &self.tree.configuration;
        let mut used = vec![0; optional.classes()];
        let order = self.tree.path().into_iter().map(|step| match step {
            Step::Answered(number) => timeline.answered[number].index,
            Step::Unknown(class) => {
                used[class] += 1;
                optional.member(class, used[class] - 1).index
            }
        });
        self.furthest = Some(Furthest {
            answered: here.answered,
            order: order.collect(),
            state: here.state,
            stuck: timeline.window().map(|number| timeline.answered[number].index).collect(),
            left: optional.left(timeline.first_return()),
        });
    }

    fn answered(&self, number: usize) -> &'a Operation<M::Input, M::Output> {
        self.operations[self.tree.configuration.timeline.answered[number].index]
    }
}
