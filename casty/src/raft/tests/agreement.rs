//! All replicas do the same, and nobody is told otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::cluster::{Cluster, GROUP, command, host, key, soon};
use super::recorder::Recorder;
use crate::raft::{COMMAND_BYTES_MAX, LeaderId, ProposeError, RaftError, RaftSettings, Refusal};
use crate::storage::MemoryLog;

#[tokio::test(start_paused = true)]
async fn a_command_is_applied_once_on_every_replica_and_in_the_same_order() {
    let (cluster, leader, id) = Cluster::three(RaftSettings::default()).await;
    let (tell, mut told) = mpsc::channel(1_000);
    for number in 0..1_000 {
        let tell = tell.clone();
        let done = move |result: Result<_, _>| tell.try_send((number, result.unwrap())).unwrap();
        cluster.nodes[leader].group.propose(id, command(number), Box::new(done));
    }
    for number in 0..1_000 {
        let (told, proposed) = soon("a proposal is answered", told.recv()).await.unwrap();
        assert_eq!((told, proposed.output), (number, Bytes::from((number + 1).to_string())), "answers keep the order");
    }
    for node in &cluster.nodes {
        node.record.reached(1_000).await;
        assert_eq!(node.record.commands(), (0..1_000).map(command).collect::<Vec<_>>());
        assert_eq!(node.record.all(), cluster.nodes[leader].record.all(), "the indexes are the same");
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_deposed_leader_never_reports_success_and_its_tail_is_replaced() {
    let (cluster, old, id) = Cluster::three(RaftSettings::default()).await;
    cluster.write(old, 0..10).await;
    cluster.isolate(old);
    let (tell, mut told) = mpsc::channel(50);
    for number in 100..150 {
        let tell = tell.clone();
        let done = move |result| tell.try_send(result).unwrap();
        cluster.nodes[old].group.propose(id, command(number), Box::new(done));
    }
    let (new, _) = cluster.leader_among(&cluster.others(old)).await;
    cluster.write(new, 10..20).await;
    cluster.rejoin(old);
    for _ in 0..50 {
        let result = soon("a lost proposal is answered", told.recv()).await.unwrap();
        assert_eq!(result, Err(ProposeError::Lost { group: GROUP }));
    }
    cluster.write(new, 20..30).await;
    let whole = cluster.nodes[new].log.read(0..u64::MAX, u64::MAX).unwrap();
    for node in &cluster.nodes {
        node.record.reached(30).await;
        assert_eq!(node.record.commands(), (0..30).map(command).collect::<Vec<_>>());
        assert_eq!(node.log.read(0..u64::MAX, u64::MAX).unwrap(), whole, "the diverged tail is gone");
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_proposal_under_another_leadership_is_refused() {
    let (cluster, leader, id) = Cluster::three(RaftSettings::default()).await;
    let follower = cluster.others(leader)[0];
    let (tell, mut told) = mpsc::channel(3);
    let earlier = LeaderId { term: id.term - 1, ..id };
    for (n, under) in [(leader, earlier), (follower, id), (follower, LeaderId { node: key(follower), ..id })] {
        let tell = tell.clone();
        let done = move |result| tell.try_send(result).unwrap();
        cluster.nodes[n].group.propose(under, command(1), Box::new(done));
        let refused = soon("a refusal", told.recv()).await.unwrap();
        let why = Refusal::NotLeader { leader: Some(id) };
        assert_eq!(refused, Err(ProposeError::NotProposed { group: GROUP, why }));
    }
    let refused = cluster.nodes[leader].group.write(Bytes::from(vec![0; COMMAND_BYTES_MAX + 1])).await;
    assert!(matches!(refused, Err(ProposeError::NotProposed { why: Refusal::TooLarge { .. }, .. })));
    let refused = cluster.nodes[follower].group.write(command(1)).await;
    assert!(matches!(refused, Err(ProposeError::NotProposed { why: Refusal::NotLeader { .. }, .. })));
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_proposal_is_answered_exactly_once_at_shutdown_and_after_it() {
    let (cluster, leader, id) = Cluster::three(RaftSettings::default()).await;
    cluster.isolate(leader);
    let node = &cluster.nodes[leader];
    let answers: Arc<Vec<AtomicUsize>> = Arc::new((0..100).map(|_| AtomicUsize::new(0)).collect());
    let propose = |range: std::ops::Range<usize>| {
        for number in range {
            let answers = answers.clone();
            let done = move |result: Result<_, _>| {
                assert!(result.is_err());
                answers[number].fetch_add(1, Ordering::SeqCst);
            };
            node.group.propose(id, command(number as u64), Box::new(done));
        }
    };
    propose(0..50);
    soon("a host shuts down", node.host.shutdown()).await;
    propose(50..100);
    assert!(matches!(node.group.failure(), Some(RaftError::Stopped { .. })));
    for (number, answers) in answers.iter().enumerate() {
        assert_eq!(answers.load(Ordering::SeqCst), 1, "answers to proposal {number}");
    }
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_replica_whose_machine_fails_stops_and_the_others_go_on() {
    let fails = |n, machine: &mut Recorder| machine.fail_at = (n == 2).then(|| command(50));
    let cluster = Cluster::new_with(3, RaftSettings::default(), fails).await;
    let (leader, _) = cluster.leader().await;
    if leader != 2 {
        soon("a transfer", cluster.nodes[leader].group.transfer(key(2))).await.unwrap();
        cluster.leader_among(&[2]).await;
    }
    cluster.write(2, 0..50).await;
    let lost = soon("an answer", cluster.nodes[2].group.write(command(50))).await;
    assert_eq!(lost, Err(ProposeError::Lost { group: GROUP }), "the command is committed, its output is not known");
    let mut leadership = cluster.nodes[2].group.leadership();
    assert!(soon("the group stops", leadership.wait_for(|_| false)).await.is_err());
    let why = cluster.nodes[2].group.failure().unwrap().to_string();
    assert!(why.contains("the disk is full"), "{why}");
    let (heir, _) = cluster.leader_among(&[0, 1]).await;
    cluster.write(heir, 51..60).await;
    assert_eq!(cluster.nodes[heir].record.commands(), (0..60).map(command).collect::<Vec<_>>());
    assert_eq!(cluster.nodes[2].record.commands(), (0..50).map(command).collect::<Vec<_>>());
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_confirms_append_nothing() {
    let (cluster, leader, id) = Cluster::three(RaftSettings::default()).await;
    cluster.write(leader, 0..5).await;
    let group = &cluster.nodes[leader].group;
    let before = group.status();
    for _ in 0..1_000 {
        soon("a confirmation", group.confirm(id)).await.unwrap();
    }
    assert_eq!(group.status().last_index, before.last_index);
    assert_eq!(group.status().applied, before.last_index);
    assert!(group.confirm(LeaderId { term: id.term + 1, ..id }).await.is_err());
    cluster.isolate(leader);
    assert!(soon("a denial", group.confirm(id)).await.is_err(), "a leader without a majority is not confirmed");
    cluster.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_opened_again_is_applied_again() {
    let net = Arc::default();
    let log = Arc::new(MemoryLog::new());
    for life in 1..4 {
        let host = host(&net, 0, &RaftSettings::default());
        let (machine, record) = Recorder::new();
        let group = host.open(GROUP, log.clone(), Box::new(machine), &[key(0)]).await.unwrap();
        assert!(matches!(
            host.open(GROUP, log.clone(), Box::new(Recorder::new().0), &[]).await,
            Err(RaftError::AlreadyOpen { .. })
        ));
        let mut leadership = group.leadership();
        soon("a lone voter leads", leadership.wait_for(|now| now.ours.is_some())).await.unwrap();
        group.write(command(life)).await.unwrap();
        assert_eq!(record.commands(), (1..=life).map(command).collect::<Vec<_>>());
        host.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_lost_or_no_frames_at_all_do_no_harm() {
    let (cluster, leader, _) = Cluster::three(RaftSettings::default()).await;
    for round in 0..10u64 {
        for other in cluster.others(leader) {
            cluster.net.lose(key(leader), key(other), 1);
            cluster.net.lose(key(other), key(leader), (round % 3) as u32);
            cluster.nodes[leader].host.receive(key(other), Bytes::from(vec![round as u8; round as usize * 7]));
            cluster.nodes[other].host.receive(key(leader), Bytes::from(vec![255; round as usize]));
        }
        cluster.write(leader, round * 10..round * 10 + 10).await;
    }
    for node in &cluster.nodes {
        node.record.reached(100).await;
        assert_eq!(node.record.commands(), (0..100).map(command).collect::<Vec<_>>());
    }
    cluster.shutdown().await;
}
