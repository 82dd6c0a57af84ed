//! Every entity is linearizable.

use std::collections::BTreeMap;

use super::Report;
use crate::testkit::history::Operation;
use crate::testkit::linearizability::models::{AppendList, Counter, Register};
use crate::testkit::linearizability::{Limits, Model, Verdict, check as search};
use crate::testkit::workload::{AccountModel, Recording};

/// Each object, by itself, behaves as if it did one operation at a time (S6 of the promises).
pub(super) fn check(recording: &Recording, report: &mut Report) {
    each(&Register::default(), &recording.registers, report);
    each(&Counter, &recording.counters, report);
    each(&AppendList, &recording.lists, report);
    each(&AccountModel, &recording.accounts, report);
}

/// The operations of many objects, by their ids.
type Objects<M> = BTreeMap<String, Vec<Operation<<M as Model>::Input, <M as Model>::Output>>>;

fn each<M: Model>(model: &M, objects: &Objects<M>, report: &mut Report) {
    for (id, operations) in objects {
        match search(model, operations, Limits::default()) {
            Verdict::Linearizable => {}
            Verdict::Violation(counterexample) => {
                report.add("every entity is linearizable", vec![format!("{id} is not:\n{counterexample}")]);
            }
            Verdict::Unknown { steps } => report.unproven.push(format!("{id} is linearizable ({steps} steps)")),
        }
    }
}
