use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use super::{End, History, Operation};

const NOW: Duration = Duration::from_millis(5);

fn ends(history: &History<&'static str, u64>) -> Vec<(&'static str, End<u64>)> {
    history.operations().into_iter().map(|operation| (operation.input, operation.end)).collect()
}

#[test]
fn operations_are_in_the_order_of_their_calls_whatever_the_order_of_their_ends() {
    let history = History::new();
    let (a, b) = (history.call(1, NOW, "a"), history.call(2, NOW * 2, "b"));
    b.returned(NOW * 3, 2);
    a.returned(NOW * 4, 1);
    let expected = [("a", End::Returned { at: NOW * 4, output: 1 }), ("b", End::Returned { at: NOW * 3, output: 2 })];
    assert_eq!(ends(&history), expected);
}

#[test]
fn an_operation_without_an_answer_is_of_unknown_outcome() {
    let history = History::new();
    history.call(1, NOW, "timed out").unknown();
    drop(history.call(2, NOW, "client died"));
    let pending = history.call(3, NOW, "pending");
    let unknown = ["timed out", "client died", "pending"].map(|input| (input, End::Unknown));
    assert_eq!(ends(&history), unknown);
    drop(pending);
}

#[test]
fn a_withdrawn_operation_is_not_in_the_history_and_the_others_keep_their_ends() {
    let history = History::new();
    let (gone, kept) = (history.call(1, NOW, "gone"), history.call(1, NOW, "kept"));
    gone.withdraw();
    kept.returned(NOW * 2, 7);
    assert_eq!(ends(&history), [("kept", End::Returned { at: NOW * 2, output: 7 })]);
}

#[test]
fn what_is_recorded_later_has_a_later_time_though_the_clock_stood_still() {
    let history = History::new();
    history.call(1, NOW, "first").returned(NOW, 1);
    history.call(2, NOW, "second").returned(NOW, 2);
    let operations = history.operations();
    let End::Returned { at, .. } = operations[0].end else { panic!("the first operation returned") };
    assert!(operations[0].call < at && at < operations[1].call, "{operations:?}");
}

#[test]
fn many_threads_write_one_history() {
    let history = History::new();
    let clients = (0..8).map(|client| {
        let history = history.clone();
        thread::spawn(move || {
            (0..100).for_each(|number| history.call(client, NOW, number).returned(NOW, number));
        })
    });
    clients.collect::<Vec<_>>().into_iter().for_each(|client| client.join().unwrap());
    let operations = history.operations();
    assert_eq!(operations.len(), 800);
    assert!(
        operations
            .iter()
            .all(|operation| matches!(operation.end, End::Returned { output, .. } if output == operation.input))
    );
}

#[test]
fn a_journal_hears_of_a_call_before_the_call_returns_and_of_every_end() {
    let (heard, told) = mpsc::channel();
    let heard = Mutex::new(heard);
    let history = History::journaled(move |place, operation: Option<&Operation<&str, u64>>| {
        let end = operation.map(|operation| operation.end.clone());
        heard.lock().send((place, end)).unwrap();
    });
    let kept = history.call(1, NOW, "kept");
    assert_eq!(told.try_recv(), Ok((0, Some(End::Unknown))));
    let gone = history.call(1, NOW, "gone");
    assert_eq!(told.try_recv(), Ok((1, Some(End::Unknown))));
    gone.withdraw();
    kept.returned(NOW * 2, 7);
    let expected = [(1, None), (0, Some(End::Returned { at: NOW * 2, output: 7 }))];
    assert_eq!(told.try_iter().collect::<Vec<_>>(), expected);
}
