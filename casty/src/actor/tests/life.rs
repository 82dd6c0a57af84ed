//! How actors start, fail and end.

use tokio::runtime::Builder;

use super::probe::{Boom, Echo, Event, Got, Probe, Quit, Seq, Wait, occupy, soon, spawn_probe};
use crate::actor::{ActorRef, ActorSystem, AskError, Directive, LookupError};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_actor_handles_what_is_queued_after_its_last_reference_is_gone() {
    for _ in 0..300 {
        let (probe, mut told) = Probe::watched();
        let (_system, probe) = spawn_probe(probe, 4).await;
        for who in 0..3 {
            let probe = probe.clone();
            tokio::spawn(async move {
                for n in 1..=5 {
                    probe.send(Seq(who, n)).await.unwrap();
                }
            });
        }
        drop(probe);
        for event in [Event::Started, Event::Stopped, Event::Dropped { seqs: 15 }] {
            assert_eq!(soon(told.recv()).await, Some(event));
        }
    }
}

#[tokio::test]
async fn a_panic_fails_its_asker_and_the_actor_goes_on_if_it_resumes() {
    let (_system, probe) = spawn_probe(Probe::new(), 8).await;
    let (first, failed, second) = tokio::join!(probe.ask(Seq(0, 1)), probe.ask(Boom), probe.ask(Got));
    assert_eq!((first, failed, second), (Ok(()), Err(AskError::Failed), Ok(1)));
}

#[tokio::test]
async fn a_panic_ends_the_actor_if_it_says_so_and_on_stop_runs() {
    let (mut probe, mut told) = Probe::watched();
    probe.directive = Directive::Stop;
    let (_system, probe) = spawn_probe(probe, 8).await;
    let (failed, after) = tokio::join!(probe.ask(Boom), probe.ask(Echo(1)));
    assert_eq!((failed, after), (Err(AskError::Failed), Err(AskError::Stopped)));
    soon(probe.stopped()).await;
    for event in [Event::Started, Event::Stopped, Event::Dropped { seqs: 0 }] {
        assert_eq!(told.recv().await, Some(event));
    }
}

#[tokio::test]
async fn a_panic_in_on_stop_or_on_error_still_ends_the_actor() {
    let mut probe = Probe::new();
    (probe.panic_stop, probe.panic_error) = (true, true);
    let (_system, probe) = spawn_probe(probe, 8).await;
    assert_eq!(probe.ask(Boom).await, Err(AskError::Failed));
    soon(probe.stopped()).await;
}

#[tokio::test]
async fn a_failing_on_start_frees_the_name_and_tells_askers() {
    let system = ActorSystem::new("test");
    let (mut probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    probe.fail_start = true;
    let probe = system.spawn(probe).named("one").await.unwrap();
    assert_eq!(soon(told.recv()).await, Some(Event::Started));
    let (asked, ()) = tokio::join!(probe.ask(Echo(1)), async { gate.add_permits(1) });
    assert_eq!(asked, Err(AskError::Stopped));
    soon(probe.stopped()).await;
    assert_eq!(told.recv().await, Some(Event::Dropped { seqs: 0 }), "on_stop does not follow a failed on_start");
    assert!(matches!(system.lookup::<Probe>("one"), Err(LookupError::NotFound { .. })));
    let _again = system.spawn(Probe::new()).named("one").await.unwrap();
}

#[tokio::test]
async fn stop_overtakes_what_is_queued_and_drain_does_not() {
    for overtake in [true, false] {
        let (probe, mut told) = Probe::watched();
        let gate = probe.gate.clone();
        let (_system, probe) = spawn_probe(probe, 8).await;
        occupy(&probe, &mut told).await;
        for n in 1..=3 {
            probe.send(Seq(0, n)).await.unwrap();
        }
        if overtake {
            probe.stop();
        } else {
            probe.drain();
        }
        gate.add_permits(1);
        soon(probe.stopped()).await;
        let seqs = if overtake { 0 } else { 3 };
        assert_eq!(told.recv().await, Some(Event::Stopped));
        assert_eq!(told.recv().await, Some(Event::Dropped { seqs }));
    }
}

#[tokio::test]
async fn an_actor_can_stop_itself() {
    let (_system, probe) = spawn_probe(Probe::new(), 8).await;
    assert_eq!(probe.ask(Quit).await, Ok(()));
    soon(probe.stopped()).await;
}

#[tokio::test]
async fn who_no_longer_waits_for_the_end_is_forgotten() {
    let (probe, mut told) = Probe::watched();
    let (_system, probe) = spawn_probe(probe, 8).await;
    occupy(&probe, &mut told).await;
    for _ in 0..100 {
        assert!(super::probe::poll_times(probe.stopped(), 1).await.is_none());
    }
    let ended = tokio::spawn({
        let probe = probe.clone();
        async move { probe.stopped().await }
    });
    probe.stop();
    // The handler waits for its gate, so the stop has not taken effect.
    tokio::task::yield_now().await;
    assert!(!ended.is_finished());
    ended.abort();
}

#[test]
fn askers_and_watchers_hear_when_the_runtime_of_an_actor_is_gone() {
    let here = Builder::new_current_thread().enable_all().build().unwrap();
    let there = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (probe, mut told) = Probe::watched();
    let (system, probe) = there.block_on(spawn_probe(probe, 8));
    there.block_on(occupy(&probe, &mut told));
    here.block_on(soon(async {
        let asks = tokio::join!(probe.ask(Echo(1)), probe.ask(Wait), async { there.shutdown_background() });
        assert_eq!(asks, (Err(AskError::Stopped), Err(AskError::Stopped), ()));
        probe.stopped().await;
        assert!(told.recv().await == Some(Event::Dropped { seqs: 0 }));
    }));
    drop(system);
}

#[tokio::test]
async fn references_say_who_they_refer_to() {
    let system = ActorSystem::new("test");
    let probe: ActorRef<Probe> = system.spawn(Probe::new()).named("alice").await.unwrap();
    assert_eq!(format!("{probe:?}"), "ActorRef(\"Probe\", \"alice\")");
    assert_eq!(probe.name(), Some("alice"));
}
