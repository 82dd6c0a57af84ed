//! The test kit: probes, stubs, and actors whose state a test sees.

use std::time::Duration;

use casty::prelude::*;
use casty::testkit::{TestKit, Unmet};
use casty::{SpawnError, StopReason};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::{Worker, diary};

#[message(local)]
#[derive(Debug, PartialEq)]
struct Note {
    text: String,
}

/// Asks a worker, and tells what it learns.
struct Reporter {
    worker: ActorRef<Worker>,
    notes: Recipient<Note>,
    reports: u64,
}

#[actor(local)]
impl Reporter {
    #[message]
    async fn report(&mut self, n: u64) {
        let text = match self.worker.work(n).await {
            Ok(handled) => format!("{handled} before {n}"),
            Err(error) => format!("{n}: {error:?}"),
        };
        self.reports += 1;
        drop(self.notes.send(Note { text }).await);
    }

    /// Works until the gate opens.
    #[message]
    async fn wait(&mut self, gate: oneshot::Receiver<()>) {
        drop(gate.await);
    }

    #[message]
    fn remind(&mut self, ctx: &mut Ctx<Self>) {
        ctx.after(Duration::from_secs(60), Report { n: 60 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_stub_gets_the_messages_of_an_actor_in_order_and_replies_in_its_place() {
    let kit = TestKit::new("test");
    let (mut worker, mut notes) = (kit.stub::<Worker>().await.unwrap(), kit.probe::<Note>().await.unwrap());
    let reporter = Reporter { worker: worker.reference(), notes: notes.recipient(), reports: 0 };
    let reporter = kit.spawn_test(reporter).await.unwrap();
    for n in 1..3 {
        reporter.report(n).send().await.unwrap();
    }
    let work = worker.expect::<crate::support::Work>().await.unwrap();
    assert_eq!(work.n, 1);
    // The second waits until the first is answered.
    worker.expect_nothing(Duration::from_secs(1)).await.unwrap();
    assert_eq!(work.reply(41).n, 1);
    assert_eq!(notes.expect().await.unwrap(), Note { text: "41 before 1".to_owned() });
    // Dropped unanswered, it is a stopped actor to whoever asked.
    drop(worker.expect::<crate::support::Work>().await.unwrap());
    notes.expect_that(|note| note.text == "2: Stopped").await.unwrap();
    assert_eq!(reporter.look(|reporter| reporter.reports).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn an_expectation_says_what_came_instead_and_how_long_it_waited() {
    let kit = TestKit::new("test").within(Duration::from_secs(7));
    let mut worker = kit.named_stub::<Worker>("worker").await.unwrap();
    let begun = Instant::now();
    let unmet = worker.expect::<crate::support::Work>().await.unwrap_err();
    assert!(matches!(&unmet, Unmet::Nothing { within, .. } if *within == Duration::from_secs(7)), "{unmet:?}");
    assert!(begun.elapsed() >= Duration::from_secs(7) && begun.elapsed() < Duration::from_millis(7_010));

    kit.lookup::<Worker>("worker").unwrap().fail().send().await.unwrap();
    let unmet = worker.expect::<crate::support::Work>().await.unwrap_err();
    assert!(unmet.to_string().contains("Work`, and got a `local::support::Fail`"), "{unmet}");
    worker.fail().send().await.unwrap();
    let unmet = worker.expect_nothing(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(unmet, Unmet::Other { found: "local::support::Fail", .. }), "{unmet:?}");

    worker.stop();
    let unmet = worker.expect::<crate::support::Work>().await.unwrap_err();
    assert!(matches!(unmet, Unmet::Stopped { .. }), "{unmet:?}");
    worker.stopped().await;
    let again = kit.named_stub::<Worker>("worker").await.unwrap();
    assert!(matches!(kit.named_stub::<Worker>("worker").await, Err(SpawnError::NameTaken { .. })));
    drop(again);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_asked_and_the_test_replies() {
    let kit = TestKit::new("test");
    let mut probe = kit.ask_probe::<Note, usize>().await.unwrap();
    let asked = probe.reference();
    let (reply, received) = tokio::join!(asked.ask(Note { text: "how long?".to_owned() }), async {
        let received = probe.expect_ask().await.unwrap();
        let length = received.text.len();
        received.reply(length)
    });
    assert_eq!((reply, received.text.as_str()), (Ok(9), "how long?"));
}

#[tokio::test(start_paused = true)]
async fn a_test_sees_the_state_between_messages_and_the_queue_and_when_the_actor_is_idle() {
    let kit = TestKit::new("test");
    let (worker, notes) = (kit.stub::<Worker>().await.unwrap(), kit.probe::<Note>().await.unwrap());
    worker.stop();
    let reporter = Reporter { worker: worker.reference(), notes: notes.recipient(), reports: 0 };
    let reporter = kit.spawn_test(reporter).await.unwrap();
    let (open, gate) = oneshot::channel();
    reporter.wait(gate).send().await.unwrap();
    reporter.look(|_| ()).await.unwrap();
    assert!(reporter.idle().await.is_err(), "it waits at the gate");
    reporter.report(1).send().await.unwrap();
    reporter.report(2).send().await.unwrap();
    assert_eq!(reporter.queued(), ["local::testkit::Report", "local::testkit::Report"]);
    open.send(()).unwrap();
    // Ahead of what waits.
    assert_eq!(reporter.change(|reporter| std::mem::replace(&mut reporter.reports, 10)).await, Ok(0));
    reporter.idle().await.unwrap();
    assert_eq!((reporter.queued().len(), reporter.look(|reporter| reporter.reports).await), (0, Ok(12)));

    // Ahead also of what the actor has taken out of its mailbox.
    let (open, gate) = oneshot::channel();
    reporter.wait(gate).send().await.unwrap();
    reporter.report(3).send().await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(reporter.queued(), [""; 0], "it has both");
    let (seen, ()) = tokio::join!(reporter.look(|reporter| reporter.reports), async { open.send(()).unwrap() });
    assert_eq!(seen, Ok(12));
    reporter.idle().await.unwrap();
    assert_eq!(reporter.look(|reporter| reporter.reports).await, Ok(13));

    // A timer that is set is nothing to do.
    reporter.remind().await.unwrap();
    reporter.idle().await.unwrap();
    assert_eq!(reporter.look(|reporter| reporter.reports).await, Ok(13));
    tokio::time::sleep(Duration::from_secs(60)).await;
    reporter.idle().await.unwrap();
    assert_eq!(reporter.look(|reporter| reporter.reports).await, Ok(14));
    assert_eq!(notes.waiting(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_restarts_is_idle_after_it() {
    let kit = TestKit::new("test");
    let (notes, mut read) = diary();
    let worker = kit.observe(kit.spawn_with(move || Worker::new("worker", &notes)).await.unwrap());
    worker.fail().send().await.unwrap();
    worker.work(1).send().await.unwrap();
    worker.idle().await.unwrap();
    let lines = read.rest();
    assert_eq!(lines.last().map(String::as_str), Some("worker works 1"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stub_that_was_dropped_before_it_ran_is_gone() {
    let kit = TestKit::new("test");
    let stub = kit.unique_stub::<Worker>().await.unwrap();
    assert_eq!(kit.unique::<Worker>().unwrap().id(), stub.id());
    let at_once = casty::Shutdown::new().reject().stop_within(Duration::ZERO);
    let report = kit.shutdown_with(&at_once).await;
    assert_eq!(report.stuck, 0, "{report:?}");
    stub.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_test_learns_why_an_actor_ended() {
    let kit = TestKit::new("test");
    let (notes, _read) = diary();
    let mut worker = Worker::new("worker", &notes);
    worker.directive = Directive::Stop;
    let worker = kit.spawn_test(worker).await.unwrap();
    assert!(matches!(worker.ended().await, Err(Unmet::Nothing { .. })));
    let _ = worker.fail().await;
    let reason = worker.ended().await.unwrap();
    assert!(matches!(&reason, StopReason::Failed(failure) if failure.reason.contains("told to fail")), "{reason:?}");
    assert!(matches!(worker.look(|_| ()).await, Err(Unmet::Stopped { .. })));
    assert!(matches!(worker.idle().await, Err(Unmet::Stopped { .. })));
}
