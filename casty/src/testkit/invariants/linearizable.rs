//! Every entity is linearizable.

use std::collections::BTreeMap;

use super::Report;
use super::ending::EndsAs;
use crate::testkit::history::Operation;
use crate::testkit::linearizability::models::{AppendList, Counter, Register};
use crate::testkit::linearizability::{Limits, Model, Verdict, check as search};
use crate::testkit::workload::{AccountModel, Recording};

/// Each object, by itself, behaves as if it did one operation at a time (S6 of the promises).
pub(super) fn check(recording: &Recording, report: &mut Report) {
    each(&Register::default(), &recording.registers, report);
    each(&Counter, &recording.counters, report);
    lists(recording, report);
    each(&AccountModel, &recording.accounts, report);
}

/// Lists tell their order themselves. Where that is no help, and where it would explain what is wrong better, all orders are
/// searched.
fn lists(recording: &Recording, report: &mut Report) {
    for (id, operations) in &recording.lists {
        let by_its_end = EndsAs::of(operations).map(|(model, traces)| search(&model, &traces, Limits::default()));
        let verdict = match (by_its_end, || search(&AppendList, operations, Limits::default())) {
            (Some(Verdict::Linearizable), _) => Verdict::Linearizable,
            (Some(wrong @ Verdict::Violation(_)), by_all_orders) => match by_all_orders() {
                better @ Verdict::Violation(_) => better,
                _ => wrong,
            },
            (_, by_all_orders) => by_all_orders(),
        };
        add(id, verdict, report);
    }
}

/// The operations of many objects, by their ids.
type Objects<M> = BTreeMap<String, Vec<Operation<<M as Model>::Input, <M as Model>::Output>>>;

fn each<M: Model>(model: &M, objects: &Objects<M>, report: &mut Report) {
    for (id, operations) in objects {
        add(id, search(model, operations, Limits::default()), report);
    }
}

fn add(id: &str, verdict: Verdict, report: &mut Report) {
    match verdict {
        Verdict::Linearizable => {}
        Verdict::Violation(counterexample) => {
            report.add("every entity is linearizable", vec![format!("{id} is not:\n{counterexample}")]);
        }
        Verdict::Unknown { steps } => report.unproven.push(format!("{id} is linearizable ({steps} steps)")),
    }
}
