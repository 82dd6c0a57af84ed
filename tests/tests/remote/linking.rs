//! Links between actors of two nodes: they fail together, and stop alone.

use std::sync::{Arc, Mutex};

use casty::actor::WatchError;
use casty::prelude::*;
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use tokio::time::timeout;

use crate::support::carried;

/// Links itself with others of its kind.
#[derive(Default)]
struct Partner;

#[actor(name = "linking.Partner")]
impl Partner {
    #[message]
    fn link(&mut self, with: ActorRef<Partner>, ctx: &mut Ctx<Self>) {
        ctx.link(&with).unwrap();
    }

    #[message]
    fn unlink(&mut self, from: ActorRef<Partner>, ctx: &mut Ctx<Self>) -> bool {
        ctx.unlink(&from)
    }

    /// Is answered behind what was said before.
    #[message]
    fn hear(&mut self) {}

    #[message]
    fn fail(&mut self) {
        fail();
    }
}

fn fail() {
    panic!("it fails (this panic belongs to the test)");
}

/// Writes down the ends of those whom it watches.
struct Witness(Arc<Mutex<Vec<Terminated>>>);

#[actor(name = "linking.Witness")]
impl Witness {
    #[message]
    fn watch(&mut self, whom: ActorRef<Partner>, ctx: &mut Ctx<Self>) {
        ctx.watch(&whom).unwrap();
    }

    fn on_terminated(&mut self, terminated: Terminated) {
        self.0.lock().unwrap().push(terminated);
    }
}

/// An actor that its own node watches.
struct Watched {
    node: usize,
    actor: ActorRef<Partner>,
    ends: Arc<Mutex<Vec<Terminated>>>,
    _witness: ActorRef<Witness>,
}

impl Watched {
    async fn on(cluster: &Cluster, node: usize) -> Self {
        let actor = cluster.node(node).spawn(Partner).await.unwrap();
        let ends = Arc::<Mutex<Vec<Terminated>>>::default();
        let witness = cluster.node(node).spawn(Witness(ends.clone())).await.unwrap();
        witness.watch(actor.clone()).await.unwrap();
        Self { node, actor, ends, _witness: witness }
    }

    /// Links it with another. When this returns, the other's node knows.
    async fn link(&self, cluster: &Cluster, other: &Self) {
        let far = carried(cluster, other.node, self.node, &other.actor);
        self.actor.link(far.clone()).await.unwrap();
        // Behind the word on the link.
        far.hear().await.unwrap();
    }

    async fn unlink(&self, cluster: &Cluster, other: &Self) -> bool {
        let far = carried(cluster, other.node, self.node, &other.actor);
        let linked = self.actor.unlink(far.clone()).await.unwrap();
        far.hear().await.unwrap();
        linked
    }

    fn id_seen_from(&self, cluster: &Cluster, node: usize) -> casty::ActorId {
        carried(cluster, self.node, node, &self.actor).id()
    }

    /// Waits until it has stopped, of which it was told once.
    async fn end(&self) -> StopReason {
        eventually(DEADLINE, "it stops", || !self.ends.lock().unwrap().is_empty()).await;
        let ends = self.ends.lock().unwrap();
        assert_eq!(ends.len(), 1, "{ends:?}");
        ends[0].reason.clone()
    }

    async fn lives(&self) {
        self.actor.hear().await.unwrap();
        assert_eq!(*self.ends.lock().unwrap(), []);
    }
}

/// Waits for an answer of one node to another, which comes behind all words that were said before.
async fn behind(cluster: &Cluster, from: usize, to: usize) {
    let actor = cluster.node(from).spawn(Partner).await.unwrap();
    carried(cluster, from, to, &actor).hear().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linked_actors_of_two_nodes_fail_together_whichever_made_the_link() {
    let cluster = Cluster::start(2).await;
    for makes_it_fails in [true, false] {
        let (one, other) = (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await);
        // Both ways, and it is one link.
        one.link(&cluster, &other).await;
        one.link(&cluster, &other).await;
        let (fails, follows) = if makes_it_fails { (&one, &other) } else { (&other, &one) };
        assert_eq!(fails.actor.fail().await, Err(AskError::Failed));
        assert!(matches!(fails.end().await, StopReason::Failed(_)));
        let with = fails.id_seen_from(&cluster, follows.node);
        assert_eq!(follows.end().await, StopReason::Linked { with });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_told_to_stop_stops_alone() {
    let cluster = Cluster::start(2).await;
    let (one, other) = (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await);
    one.link(&cluster, &other).await;
    one.actor.stop();
    assert_eq!(one.end().await, StopReason::Stopped);
    behind(&cluster, 0, 1).await;
    other.lives().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_with_one_that_has_failed_already_stops_at_once() {
    let cluster = Cluster::start(2).await;
    let (one, failed) = (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await);
    let far = carried(&cluster, 1, 0, &failed.actor);
    assert_eq!(failed.actor.fail().await, Err(AskError::Failed));
    failed.end().await;
    one.actor.link(far.clone()).send().await.unwrap();
    assert_eq!(one.end().await, StopReason::Linked { with: far.id() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_of_two_can_take_a_link_back() {
    let cluster = Cluster::start(2).await;
    for who_made_it in [true, false] {
        let (one, other) = (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await);
        one.link(&cluster, &other).await;
        let (takes, hears) = if who_made_it { (&one, &other) } else { (&other, &one) };
        assert!(takes.unlink(&cluster, hears).await);
        assert!(!takes.unlink(&cluster, hears).await);
        assert!(!hears.unlink(&cluster, takes).await);
        assert_eq!(takes.actor.fail().await, Err(AskError::Failed));
        takes.end().await;
        behind(&cluster, takes.node, hears.node).await;
        hears.lives().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_outlives_a_restart_of_either() {
    let cluster = Cluster::start(2).await;
    let one = cluster.node(0).spawn_with(Partner::default).await.unwrap();
    let other = Watched::on(&cluster, 1).await;
    other.actor.link(carried(&cluster, 0, 1, &one)).await.unwrap();
    assert_eq!(one.fail().await, Err(AskError::Failed));
    carried(&cluster, 0, 1, &one).hear().await.unwrap();
    other.lives().await;
    assert_eq!(other.actor.fail().await, Err(AskError::Failed));
    other.end().await;
    timeout(DEADLINE, one.stopped()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_node_is_an_end_of_those_on_it_that_is_told_once() {
    let mut cluster = Cluster::start(3).await;
    let (lost, one, other) =
        (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await, Watched::on(&cluster, 2).await);
    // One is linked with the lost, and another with that one.
    one.link(&cluster, &lost).await;
    other.link(&cluster, &one).await;
    let (dead, follows) = (lost.id_seen_from(&cluster, 1), one.id_seen_from(&cluster, 2));
    cluster.crash(0);
    assert_eq!(one.end().await, StopReason::Linked { with: dead });
    assert_eq!(other.end().await, StopReason::Linked { with: follows });
    // Without references it would have stopped before the crash, in order.
    drop(lost);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_the_nodes_do_not_hear_each_other_is_told_afterwards() {
    let cluster = Cluster::start(2).await;
    let (parting, parted) = (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await);
    let (failing, follows) = (Watched::on(&cluster, 0).await, Watched::on(&cluster, 1).await);
    parting.link(&cluster, &parted).await;
    failing.link(&cluster, &follows).await;
    let address = cluster.node(1).address();
    // Nothing of node 0 arrives from now on, so that its words are lost with the connection.
    cluster.network.cut(0, &address);
    assert!(parting.actor.unlink(carried(&cluster, 1, 0, &parted.actor)).await.unwrap());
    assert_eq!(failing.actor.fail().await, Err(AskError::Failed));
    failing.end().await;
    follows.lives().await;
    cluster.network.sever(0, &address);
    cluster.network.heal();
    assert_eq!(follows.end().await, StopReason::Linked { with: failing.id_seen_from(&cluster, 1) });
    // The older link was said again before that one, and so it is known by now that it was taken back.
    assert_eq!(parting.actor.fail().await, Err(AskError::Failed));
    parting.end().await;
    behind(&cluster, 0, 1).await;
    parted.lives().await;
}

/// Cannot be named on other nodes.
struct Recluse;

#[actor(local)]
impl Recluse {
    #[message(local)]
    fn tie(&mut self, with: ActorRef<Partner>, ctx: &mut Ctx<Self>) -> Result<(), WatchError> {
        ctx.link(&with)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_other_nodes_cannot_know_is_told_that_it_cannot_be_linked() {
    let cluster = Cluster::start(2).await;
    let far = carried(&cluster, 1, 0, &cluster.node(1).spawn(Partner).await.unwrap());
    let recluse = cluster.node(0).spawn(Recluse).await.unwrap();
    let refused = recluse.tie(far).await;
    assert!(matches!(refused, Err(AskError::Handler(WatchError::Untold(_)))), "{refused:?}");
}
