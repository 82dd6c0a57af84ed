use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use super::{Answer, Due, Port, ReplySink, SinkReply, Sweeper, Wait, pair};
use crate::actor::error::AskFailure;
use crate::codec::encode;

fn ask(sweeper: &Arc<Sweeper>) -> (Port<u64>, Wait<u64>) {
    pair(sweeper, Due::after(Duration::from_secs(5)))
}

fn poll(wait: &mut Wait<u64>) -> Option<Result<u64, AskFailure>> {
    match wait.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Answer::Value(reply)) => Some(Ok(reply)),
        Poll::Ready(Answer::Failure(failure)) => Some(Err(*failure)),
        Poll::Ready(Answer::Overdue) => Some(Err(AskFailure::Timeout { after: Duration::ZERO })),
        Poll::Pending => None,
    }
}

#[derive(Default)]
struct Sink(Mutex<Vec<SinkReply>>);

impl ReplySink for Sink {
    fn complete(&self, reply: SinkReply) {
        self.0.lock().push(reply);
    }
}

#[test]
fn a_late_reply_reaches_nobody_and_the_slot_is_used_again() {
    let sweeper = Sweeper::new(None);
    let (late, gone) = ask(&sweeper);
    drop(gone);
    // The slot is not free before both sides have left, so this is another.
    let (port, mut wait) = ask(&sweeper);
    late.reply(1);
    assert_eq!(poll(&mut wait), None);
    port.reply(2);
    assert_eq!(poll(&mut wait), Some(Ok(2)));
    let (port, mut wait) = ask(&sweeper);
    assert_eq!(poll(&mut wait), None, "nothing of an earlier request is left in the slot");
    drop(port);
    assert_eq!(poll(&mut wait), Some(Err(AskFailure::Stopped)));
}

#[test]
fn a_slot_without_its_type_is_answered_once() {
    let sweeper = Sweeper::new(None);
    let (port, mut wait) = ask(&sweeper);
    let slot = port.into_slot().unwrap();
    assert!(!slot.is_abandoned());
    slot.complete(&encode(&7_u64).unwrap());
    slot.complete(&encode(&8_u64).unwrap());
    slot.fail(AskFailure::Stopped);
    assert!(slot.is_abandoned());
    assert_eq!(poll(&mut wait), Some(Ok(7)));
    // The next request gets the same slot; the old handle still says nothing to it.
    let (_port, mut next) = ask(&sweeper);
    slot.complete(&encode(&9_u64).unwrap());
    assert_eq!(poll(&mut next), None);
}

#[test]
fn a_slot_without_its_type_tells_of_failures_and_of_its_end() {
    let sweeper = Sweeper::new(None);
    let (port, mut wait) = ask(&sweeper);
    drop(port.into_slot());
    assert_eq!(poll(&mut wait), Some(Err(AskFailure::Stopped)));

    let (port, mut wait) = ask(&sweeper);
    port.into_slot().unwrap().complete(&[1, 2, 3]);
    assert!(matches!(poll(&mut wait), Some(Err(AskFailure::Unknown { .. }))));

    let (port, wait) = ask(&sweeper);
    let slot = port.into_slot().unwrap();
    assert!(slot.deadline().is_some());
    drop(wait);
    assert!(slot.is_abandoned());
    assert_eq!(slot.deadline(), None);
    assert!(Port::<u64>::none().into_slot().is_none());
}

#[test]
fn a_sink_gets_one_encoded_answer_for_every_port() {
    let sink = Arc::new(Sink::default());
    Port::<u64>::into_sink(sink.clone()).reply(5);
    drop(Port::<u64>::into_sink(sink.clone()));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _port = Port::<u64>::into_sink(sink.clone());
        std::panic::resume_unwind(Box::new("boom"));
    }));
    assert!(panicked.is_err());
    let expected = [SinkReply::Value(encode(&5_u64).unwrap()), SinkReply::Stopped, SinkReply::Failed];
    assert_eq!(*sink.0.lock(), expected);
}

#[test]
fn a_reply_that_cannot_be_encoded_fails() {
    #[derive(serde::Deserialize)]
    struct Unsayable;

    impl serde::Serialize for Unsayable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("unsayable"))
        }
    }

    let sink = Arc::new(Sink::default());
    Port::into_sink(sink.clone()).reply(Unsayable);
    assert_eq!(*sink.0.lock(), [SinkReply::Failed]);
}

/// A reply whose decoder panics.
#[derive(Debug)]
struct Explosive;

impl serde::Serialize for Explosive {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> serde::Deserialize<'de> for Explosive {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("not this one")
    }
}

#[test]
fn a_reply_that_panics_while_it_is_read_ends_its_ask_and_nothing_else() {
    let sweeper = Sweeper::new(None);
    let (port, mut wait) = pair::<Explosive>(&sweeper, Due::after(Duration::from_secs(5)));
    port.into_slot().unwrap().complete(&[]);
    match wait.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Answer::Failure(failure)) => {
            assert!(matches!(*failure, AskFailure::Unknown { reason } if reason.contains("not this one")));
        }
        _ => panic!("the ask has not ended as it should"),
    }
}
