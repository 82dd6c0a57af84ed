//! What nodes tell of their cluster.

use std::sync::{Arc, Mutex};

use casty::prelude::*;
use casty::{ClusterEvent, GroupId};
use casty_tests::cluster::{Cluster, DEADLINE, REMOVE_AFTER, config, eventually, node, ready};
use tokio::time::timeout;

/// Writes down what a node tells, each event as a line.
struct Reporter(Lines);

type Lines = Arc<Mutex<Vec<String>>>;

#[actor(local)]
impl Reporter {
    #[handler]
    fn hear(&mut self, event: ClusterEvent) {
        let line = match event {
            ClusterEvent::MemberUp(member) => format!("{} is up", member.id),
            ClusterEvent::MemberUnreachable(member) => format!("{} is unreachable", member.id),
            ClusterEvent::MemberLeft(member) => format!("{} has left", member.id),
            ClusterEvent::LeaderChanged { leader: Some(leader) } => format!("{leader} leads"),
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

/// A cluster, and what each of its nodes has told from its start on.
struct Told {
    cluster: Cluster,
    nodes: Vec<(ActorRef<Reporter>, Lines)>,
}

impl Told {
    async fn start(size: usize, settings: impl Fn(ClusterConfig) -> ClusterConfig) -> Self {
        let mut told = Self { cluster: Cluster::empty().await, nodes: Vec::new() };
        for number in 0..size {
            let seed = told.cluster.live().next().map_or("127.0.0.1:1".to_owned(), |(_, node)| node.address());
            told.add(settings(config(number + 1, size).seeds([seed]))).await;
        }
        for (_, node) in told.cluster.live() {
            ready(node).await;
        }
        told
    }

    /// Starts a node, and listens to it before it knows of any cluster.
    async fn add(&mut self, config: ClusterConfig) {
        let node = node(config.net(self.cluster.network.of(self.nodes.len()))).await;
        let lines = Lines::default();
        let reporter = node.spawn(Reporter(lines.clone())).await.unwrap();
        assert!(node.events().subscribe(&reporter));
        self.nodes.push((reporter, lines));
        self.cluster.add(node);
    }

    fn lines(&self, number: usize) -> Vec<String> {
        self.nodes[number].1.lock().unwrap().clone()
    }

    /// Waits until the node has told this line once more than `before`, and returns all that it told since then.
    async fn next(&self, number: usize, before: usize, line: &str) -> Vec<String> {
        let since = || self.lines(number).split_off(before);
        eventually(DEADLINE, line, || since().iter().any(|told| told == line)).await;
        since()
    }
}

/// What was told of one node.
fn of(lines: &[String], id: &str) -> Vec<String> {
    lines.iter().filter(|line| line.starts_with(id) && !line.ends_with("leads")).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_tells_once_that_each_is_up_and_who_leads() {
    let told = Told::start(3, |config| config).await;
    let leader = told.cluster.node(told.cluster.leader_of(GroupId::META, 0).await).id();
    for number in 0..3 {
        told.next(number, 0, &format!("{leader} leads")).await;
        let mut up: Vec<_> = told.lines(number).into_iter().filter(|line| !line.ends_with("leads")).collect();
        eventually(DEADLINE, "all three are up", || {
            up = told.lines(number).into_iter().filter(|line| !line.ends_with("leads")).collect();
            up.len() >= 3
        })
        .await;
        up.sort();
        assert_eq!(up, ["node-1 is up", "node-2 is up", "node-3 is up"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_is_unreachable_to_the_others_as_they_are_to_it_and_up_again_when_it_is_back() {
    let told = Told::start(3, |config| config).await;
    let before: Vec<_> = (0..3).map(|number| told.lines(number).len()).collect();
    told.cluster.tear_off(2);
    let seen_by = |number: usize| if number == 2 { &["node-1", "node-2"][..] } else { &["node-3"] };
    for (number, before) in before.iter().enumerate() {
        for other in seen_by(number) {
            told.next(number, *before, &format!("{other} is unreachable")).await;
        }
    }
    told.cluster.network.heal();
    for (number, before) in before.iter().enumerate() {
        for other in seen_by(number) {
            let since = told.next(number, *before, &format!("{other} is up")).await;
            let lines = of(&since, other);
            assert_eq!(lines[0], format!("{other} is unreachable"));
            assert!(lines.windows(2).all(|two| two[0] != two[1]), "nothing is told twice: {lines:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leaves_has_left_and_was_never_unreachable() {
    let mut told = Told::start(4, |config| config).await;
    let leaver = told.cluster.take(3);
    timeout(DEADLINE, leaver.leave()).await.unwrap().unwrap();
    drop(leaver);
    for number in 0..3 {
        told.next(number, 0, "node-4 has left").await;
        assert_eq!(of(&told.lines(number), "node-4"), ["node-4 is up", "node-4 has left"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_is_unreachable_then_has_left_and_its_next_life_is_up() {
    let mut told = Told::start(4, |config| config.remove_after(REMOVE_AFTER)).await;
    told.cluster.crash(3);
    for number in 0..3 {
        told.next(number, 0, "node-4 has left").await;
    }
    told.cluster.settled_on(&[0, 1, 2]).await;
    let seed = told.cluster.node(0).address();
    told.add(config(4, 4).seeds([seed]).remove_after(REMOVE_AFTER)).await;
    for number in 0..3 {
        let before = told.lines(number).iter().position(|line| line == "node-4 has left").unwrap();
        told.next(number, before, "node-4 is up").await;
        let all = ["node-4 is up", "node-4 is unreachable", "node-4 has left", "node-4 is up"];
        assert_eq!(of(&told.lines(number), "node-4"), all);
    }
    // The newcomer reads what was decided before its time, and tells what is the case.
    told.next(4, 0, "node-4 is up").await;
    for id in ["node-1", "node-2", "node-3", "node-4"] {
        told.next(4, 0, &format!("{id} is up")).await;
        assert_eq!(of(&told.lines(4), id), [format!("{id} is up")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_survivors_of_a_leader_tell_who_leads_instead() {
    let mut told = Told::start(3, |config| config).await;
    let old = told.cluster.leader_of(GroupId::META, 0).await;
    let before: Vec<_> = (0..3).map(|number| told.lines(number).len()).collect();
    let survivors: Vec<_> = (0..3).filter(|number| *number != old).collect();
    let lost = told.cluster.node(old).id();
    told.cluster.crash(old);
    for number in &survivors {
        eventually(DEADLINE, "another node leads", || told.cluster.leader_now(GroupId::META, *number).is_some()).await;
    }
    let new = told.cluster.node(told.cluster.leader_of(GroupId::META, survivors[0]).await).id();
    for number in survivors {
        let since = told.next(number, before[number], &format!("{new} leads")).await;
        assert!(since.iter().all(|line| !line.starts_with(lost.as_str()) || !line.ends_with("leads")), "{since:?}");
    }
}
