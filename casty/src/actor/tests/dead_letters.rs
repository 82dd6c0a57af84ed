//! Messages that nobody handled are counted, and shown.

use super::probe::{Echo, Probe, Seq, occupy, soon};
use crate::actor::{ActorSystem, DeadReason};

#[tokio::test]
async fn what_a_stopped_actor_left_and_what_is_sent_to_it_are_dead_letters() {
    let system = ActorSystem::new("test");
    let (probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    let probe = system.spawn(probe).named("alice").await.unwrap();
    let mut shown = system.dead_letters().subscribe();
    occupy(&probe, &mut told).await;
    for n in 1..=7 {
        probe.send(Seq(0, n)).await.unwrap();
    }
    probe.stop();
    gate.add_permits(1);
    soon(probe.stopped()).await;
    assert_eq!(system.dead_letters().count(DeadReason::LeftBehind), 7);
    assert_eq!(shown.recv().await.unwrap().reason, DeadReason::LeftBehind);

    probe.send(Echo(1)).await.unwrap_err();
    probe.try_send(Echo(2)).unwrap_err();
    probe.recipient::<Echo>().send(Echo(3)).await.unwrap_err();
    assert_eq!(system.dead_letters().count(DeadReason::Stopped), 3);
    assert_eq!(system.dead_letters().total(), 10);
    let mut last = shown.recv().await.unwrap();
    while let Ok(next) = shown.try_recv() {
        last = next;
    }
    assert_eq!(last.actor, "Probe `alice`");
    assert!(last.message.ends_with("probe::Echo"), "{}", last.message);
    assert_eq!(last.reason, DeadReason::Stopped);
}
