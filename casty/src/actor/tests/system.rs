//! Names, and how a system ends.

use std::time::Duration;

use tokio::time::Instant;

use super::probe::{Echo, Event, Probe, Seq, Wait, occupy, soon, spawn_probe};
use crate::actor::{ActorSystem, AskError, LookupError, Shutdown, SpawnError};

#[tokio::test]
async fn a_taken_name_is_refused_and_its_owner_is_left_untouched() {
    let system = ActorSystem::new("bank");
    let first = system.spawn(Probe::new()).named("alice").await.unwrap();
    let refused = system.spawn(Probe::new()).named("alice").await.unwrap_err();
    assert_eq!(refused, SpawnError::NameTaken { name: "alice".to_owned() });
    assert_eq!(first.ask(Echo(1)).await, Ok(1));
    assert_eq!(system.lookup::<Probe>("alice").unwrap().ask(Echo(2)).await, Ok(2));
}

#[tokio::test]
async fn a_name_is_free_when_its_actor_has_stopped() {
    let system = ActorSystem::new("bank");
    for _ in 0..100 {
        let probe = system.spawn(Probe::new()).named("alice").await.unwrap();
        probe.stop();
        probe.stopped().await;
        let error = system.lookup::<Probe>("alice").unwrap_err();
        assert_eq!(error, LookupError::NotFound { name: "alice".to_owned(), system: "bank".to_owned() });
    }
}

#[tokio::test]
async fn an_actor_that_drains_is_not_found_and_keeps_its_name() {
    let system = ActorSystem::new("bank");
    let (probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    let probe = system.spawn(probe).named("alice").await.unwrap();
    occupy(&probe, &mut told).await;
    drop(probe);
    assert!(matches!(system.lookup::<Probe>("alice"), Err(LookupError::NotFound { .. })));
    assert!(matches!(system.spawn(Probe::new()).named("alice").await, Err(SpawnError::NameTaken { .. })));
    gate.add_permits(1);
    assert_eq!(soon(told.recv()).await, Some(Event::Stopped));
}

#[tokio::test]
async fn shutdown_handles_all_that_is_queued() {
    let (probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    let (system, probe) = spawn_probe(probe, 64).await;
    occupy(&probe, &mut told).await;
    for n in 1..=50 {
        probe.send(Seq(0, n)).await.unwrap();
    }
    tokio::join!(system.shutdown(), async { gate.add_permits(1) });
    assert_eq!(told.recv().await, Some(Event::Stopped));
    assert_eq!(told.recv().await, Some(Event::Dropped { seqs: 50 }));
    let refused = system.spawn(Probe::new()).await.unwrap_err();
    assert_eq!(refused, SpawnError::ShutDown { system: "test".to_owned() });
    assert_eq!(probe.ask(Echo(1)).await, Err(AskError::Stopped));
    system.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_in_time_though_a_handler_waits_for_ever() {
    let (probe, mut told) = Probe::watched();
    let system = ActorSystem::builder("test").shutdown(Shutdown::new().drain_within(Duration::from_secs(3))).build();
    let probe = system.spawn(probe).await.unwrap();
    occupy(&probe, &mut told).await;
    let start = Instant::now();
    let (asked, report) = tokio::join!(probe.ask(Echo(1)), system.shutdown());
    assert_eq!(asked, Err(AskError::Stopped));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert_eq!((report.late, report.aborted, report.stuck), (1, 1, 0));
    assert_eq!(told.recv().await, Some(Event::Dropped { seqs: 0 }));
}

#[tokio::test]
async fn actors_stop_when_the_last_clone_of_their_system_is_dropped() {
    let (probe, mut told) = Probe::watched();
    let (system, probe) = spawn_probe(probe, 8).await;
    drop(system.clone());
    assert_eq!(probe.ask(Echo(1)).await, Ok(1));
    drop(system);
    soon(probe.stopped()).await;
    assert_eq!(told.recv().await, Some(Event::Started));
    assert_eq!(told.recv().await, Some(Event::Stopped));
    assert_eq!(probe.ask(Wait).await, Err(AskError::Stopped));
}

#[test]
fn spawning_outside_of_a_runtime_is_an_error_and_no_panic() {
    let system = ActorSystem::new("test");
    let spawned =
        futures_util::FutureExt::now_or_never(std::future::IntoFuture::into_future(system.spawn(Probe::new())));
    assert_eq!(spawned.unwrap().unwrap_err(), SpawnError::NoRuntime);
}

#[tokio::test]
async fn a_look_up_with_another_type_says_which_type_the_actor_is_of() {
    let system = ActorSystem::new("test");
    let _probe = system.spawn(Probe::new()).named("alice").await.unwrap();
    let error = system.lookup::<other::Other>("alice").unwrap_err();
    assert_eq!(
        error,
        LookupError::WrongType { name: "alice".to_owned(), expected: "Other", found: "Probe".to_owned() }
    );
}

mod other {
    //! Another type of actor, which handles nothing.

    use std::convert::Infallible;

    use crate::actor::{Access, Actor, Ctx, Target};

    pub(super) struct Other;

    pub(super) struct Handle<T>(T);

    impl<T> From<T> for Handle<T> {
        fn from(target: T) -> Self {
            Self(target)
        }
    }

    impl<T> AsRef<T> for Handle<T> {
        fn as_ref(&self) -> &T {
            &self.0
        }
    }

    impl Actor for Other {
        type Msg = Infallible;
        type Handle<T: Target<Self>> = Handle<T>;
        const NAME: &'static str = "Other";

        fn dispatch(&mut self, msg: Infallible, _ctx: &mut Ctx<Self>) -> Option<Infallible> {
            match msg {}
        }

        fn access(msg: &Infallible) -> Access {
            match *msg {}
        }
    }
}
