//! Every ask ends, with its own reply or a typed error.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::probe::{
    Boom, DEADLINE, Echo, Half, Odd, Probe, SlowEcho, Wait, Who, occupy, poll_times, soon, spawn, spawn_probe,
};
use crate::actor::remote::Sender;
use crate::actor::reply::{self, Answer, Due, Sweeper, pair};
use crate::actor::{ActorSystem, AskError, SendError};
use crate::codec::encode;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replies_reach_their_asker_while_others_leave_or_run_out_of_time() {
    let (_system, probe) = spawn(3).await;
    let askers: Vec<_> = (0..8u64)
        .map(|who| {
            let probe = probe.clone();
            tokio::spawn(async move {
                for n in 0..4_000 {
                    let own = who << 32 | n;
                    match n % 5 {
                        0 => {
                            if let Some(reply) = poll_times(probe.ask(SlowEcho(own)), n % 7).await {
                                assert_eq!(reply, Ok(own));
                            }
                        }
                        1 if n % 401 == 1 => assert_eq!(probe.ask(Boom).await, Err(AskError::Failed)),
                        1 => assert_eq!(probe.ask(SlowEcho(own)).await, Ok(own)),
                        2 if n % 102 == 2 => match probe.ask(SlowEcho(own)).timeout(Duration::ZERO).await {
                            Ok(reply) => assert_eq!(reply, own),
                            Err(error) => assert!(matches!(error, AskError::Timeout { .. } | AskError::MailboxFull)),
                        },
                        _ => assert_eq!(probe.echo(Echo(own)).await, Ok(own)),
                    }
                }
            })
        })
        .collect();
    for asker in askers {
        soon(asker).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_ask_ends_when_its_actor_stops() {
    for round in 0..600usize {
        let (system, probe) = spawn(1 + round % 3).await;
        let askers: Vec<_> = (0..6u64)
            .map(|who| {
                let probe = probe.clone();
                tokio::spawn(async move {
                    for n in 0.. {
                        match probe.ask(SlowEcho(n * who)).await {
                            Ok(reply) => assert_eq!(reply, n * who),
                            Err(error) => return assert_eq!(error, AskError::Stopped),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..round % 20 {
            tokio::task::yield_now().await;
        }
        match round % 4 {
            0 => probe.stop(),
            1 => probe.drain(),
            2 => drop(system),
            _ => drop(system.shutdown().await),
        }
        for asker in askers {
            soon(asker).await.unwrap();
        }
        soon(probe.stopped()).await;
    }
}

#[tokio::test]
async fn an_error_of_the_handler_reaches_the_asker_typed() {
    let (_system, probe) = spawn(8).await;
    assert_eq!(probe.ask(Half(8)).await, Ok(4));
    assert_eq!(probe.ask(Half(7)).await, Err(AskError::Handler(Odd(7))));
}

#[tokio::test]
async fn a_full_mailbox_hands_the_message_back_or_makes_the_sender_wait() {
    let (probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    let (_system, probe) = spawn_probe(probe, 1).await;
    occupy(&probe, &mut told).await;
    probe.try_send(Echo(1)).unwrap();
    let Err(SendError::Full(Echo(2))) = probe.try_send(Echo(2)) else { panic!("there was no room") };
    assert_eq!(probe.ask(Echo(3)).timeout(Duration::from_millis(20)).await, Err(AskError::MailboxFull));
    let waiting = tokio::spawn({
        let probe = probe.clone();
        async move { probe.ask(Echo(4)).await }
    });
    gate.add_permits(1);
    assert_eq!(soon(waiting).await.unwrap(), Ok(4));
}

#[tokio::test]
async fn the_last_waiting_sender_who_leaves_opens_the_mailbox_again() {
    let (probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    let (_system, probe) = spawn_probe(probe, 1).await;
    occupy(&probe, &mut told).await;
    probe.try_send(Echo(1)).unwrap();
    assert!(poll_times(probe.send(Echo(2)), 1).await.is_none());
    gate.add_permits(1);
    assert_eq!(soon(probe.ask(Echo(3))).await, Ok(3));
}

#[tokio::test]
async fn an_asker_hears_of_a_stop_while_its_message_is_queued_or_waits_for_room() {
    let (probe, mut told) = Probe::watched();
    let gate = probe.gate.clone();
    let (_system, probe) = spawn_probe(probe, 1).await;
    occupy(&probe, &mut told).await;
    let (queued, waiting, ()) = tokio::join!(probe.ask(Echo(1)), probe.ask(Echo(2)), async {
        probe.stop();
        gate.add_permits(1);
    });
    assert_eq!((queued, waiting), (Err(AskError::Stopped), Err(AskError::Stopped)));
    assert_eq!(probe.ask(Echo(3)).await, Err(AskError::Stopped));
    let Err(SendError::Stopped(Echo(4))) = probe.send(Echo(4)).await else { panic!("it has stopped") };
}

#[tokio::test]
async fn a_handler_sees_the_sender_that_gave_its_reference_and_no_earlier_one() {
    let (system, probe) = spawn(8).await;
    let other = system.spawn(Probe::new()).named("other").await.unwrap();
    assert_eq!(probe.ask(Who).from(&other).await, Ok(Some("other".to_owned())));
    assert_eq!(probe.ask(Who).await, Ok(None));
    probe.ask(Wait).from(&other).send().await.unwrap();
}

#[tokio::test]
async fn a_recipient_reaches_whoever_handles_the_message() {
    let (system, probe) = spawn(8).await;
    let recipient = probe.recipient::<Echo>();
    recipient.send(Echo(1)).await.unwrap();
    recipient.clone().try_send(Echo(2)).unwrap();
    drop(probe);
    recipient.send(Echo(3)).await.unwrap();
    system.shutdown().await;
    let Err(SendError::Stopped(Echo(4))) = recipient.send(Echo(4)).await else { panic!("it has stopped") };
}

#[tokio::test]
async fn a_sender_travels_with_any_port() {
    let actor = ActorSystem::new("senders").spawn(Probe::new()).await.unwrap();
    let sweeper = Sweeper::new(None);
    let ask = || pair::<u64>(&sweeper, Due::after(DEADLINE));
    let taken = |wait: &mut reply::Wait<u64>| match wait.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Answer::Value(reply)) => Some(reply),
        _ => None,
    };
    let (port, mut wait) = ask();
    let (port, sender) = port.with_sender(Some(Sender::new(&actor))).split_sender();
    assert_eq!(sender.unwrap().reference::<Probe>().unwrap().id(), actor.id());
    port.with_sender(None).reply(3);
    assert_eq!(taken(&mut wait), Some(3));

    let (port, mut wait) = ask();
    port.with_sender(Some(Sender::new(&actor))).into_slot().unwrap().complete(&encode(&4_u64).unwrap());
    assert_eq!(taken(&mut wait), Some(4));
}
