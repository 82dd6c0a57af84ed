//! Long histories and many unknown outcomes. What they cost is counted in steps, which are the same on every machine.

use super::super::models::*;
use super::super::{Limits, Model, Verdict, check};
use super::generate::*;
use super::*;

const LONG: Shape = Shape { clients: 10, operations: 1_000, unknown_percent: 0 };
const LOSSY: Shape = Shape { unknown_percent: 20, ..LONG };

fn check_within<M: Model>(steps: u64, model: &M, history: &[Operation<M::Input, M::Output>]) -> Verdict {
    let begun = std::time::Instant::now();
    let v = check(model, history, Limits { steps, time: None });
    eprintln!(
        "{} {:?} {:?}",
        std::any::type_name::<M>(),
        begun.elapsed(),
        match &v {
            Verdict::Unknown { steps } => format!("unknown {steps}"),
            o => format!("{}", o.is_linearizable()),
        }
    );
    v
}

#[test]
fn a_thousand_operations_of_ten_clients_take_few_steps() {
    for seed in 0..10 {
        let mut token = 0;
        let register = legal(&Register::default(), &mut rng(seed), LONG, |rng| register_input(rng, 100));
        let counter = legal(&Counter, &mut rng(seed), LONG, |rng| counter_input(rng, 10));
        let list = legal(&AppendList, &mut rng(seed), LONG, |rng| list_input(rng, &mut token));
        assert_eq!(check_within(100_000, &Register::default(), &register), Verdict::Linearizable);
        assert_eq!(check_within(20_000, &Counter, &counter), Verdict::Linearizable);
        assert_eq!(check_within(20_000, &AppendList, &list), Verdict::Linearizable);
    }
}

#[test]
fn hundreds_of_unknown_outcomes_do_not_explode() {
    for seed in 0..10 {
        let mut token = 0;
        let register = legal(&Register::default(), &mut rng(seed), LOSSY, |rng| register_input(rng, 100));
        let counter = legal(&Counter, &mut rng(seed), LOSSY, |rng| counter_input(rng, 10));
        let list = legal(&AppendList, &mut rng(seed), LOSSY, |rng| list_input(rng, &mut token));
        assert_eq!(check_within(1_000_000, &Register::default(), &register), Verdict::Linearizable);
        assert_eq!(check_within(100_000, &Counter, &counter), Verdict::Linearizable);
        assert_eq!(check_within(100_000, &AppendList, &list), Verdict::Linearizable);
    }
}
