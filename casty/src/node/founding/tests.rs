//! The founding, step by step.

use super::*;

fn founder(name: &str, life: u64) -> Founder {
    Founder { id: name.into(), incarnation: life }
}

fn terms(size: usize) -> Terms {
    Terms { size, groups: 4, replicas: 3 }
}

fn three(life_of_c: u64) -> Vec<Founder> {
    vec![founder("a", 1), founder("b", 1), founder("c", life_of_c)]
}

fn founding(name: &str) -> Founding {
    Founding::new(founder(name, 1).key(), terms(3), true)
}

fn promise_of(founding: &mut Founding, alive: &[Founder]) -> Charter {
    founding.look(alive.to_vec());
    match founding.look(alive.to_vec()) {
        Some(Step::Promise(charter)) => charter,
        other => panic!("no promise: {other:?}"),
    }
}

#[test]
fn a_cluster_is_founded_when_all_have_promised_and_not_before() {
    let (mut a, b, c) = (founding("a"), founder("b", 1), founder("c", 1));
    let charter = promise_of(&mut a, &three(1));
    assert_eq!(a.promised(b.key(), &charter), None);
    assert_eq!(a.promised(c.key(), &charter), Some(Step::Found(charter.clone())));
    assert_eq!(a.charter(), Some(&charter));
}

#[test]
fn everyone_founds_the_same_cluster_whatever_order_it_saw() {
    let (mut a, mut b) = (founding("a"), founding("b"));
    let mut other_order = three(1);
    other_order.reverse();
    assert_eq!(promise_of(&mut a, &three(1)).cluster_id(), promise_of(&mut b, &other_order).cluster_id());
}

#[test]
fn two_nodes_are_not_three() {
    let mut a = founding("a");
    for _ in 0..5 {
        assert_eq!(a.look(three(1)[..2].to_vec()), None);
    }
}

#[test]
fn a_view_that_moves_gets_no_promise() {
    let mut a = founding("a");
    assert_eq!(a.look(three(1)), None);
    assert_eq!(a.look(three(2)), None);
    assert!(matches!(a.look(three(2)), Some(Step::Promise(_))));
}

#[test]
fn a_promise_to_a_dead_life_is_withdrawn_and_its_charter_refused_for_good() {
    let mut a = founding("a");
    let old = promise_of(&mut a, &three(1));
    assert_eq!(a.look(three(2)), Some(Step::Withdraw(old.clone())));
    let new = promise_of(&mut a, &three(2));
    assert_ne!(old, new);
    assert_eq!(a.raft(old.cluster_id()), (false, None), "a message of the refused cluster is not taken");
    assert_eq!(a.told(founder("b", 1).key(), old.clone()), None, "nor is this node made a guest of it");
    a.promised(founder("b", 1).key(), &old);
    assert_eq!(a.promised(founder("c", 2).key(), &new), None, "b has not promised itself to the new charter");
    assert!(matches!(a.promised(founder("b", 1).key(), &new), Some(Step::Found(_))));
}

#[test]
fn a_founder_that_is_out_of_sight_for_a_moment_is_waited_for() {
    let mut a = founding("a");
    let charter = promise_of(&mut a, &three(1));
    for _ in 1..LOOKS_BEFORE_WITHDRAWAL {
        assert_eq!(a.look(three(1)[..2].to_vec()), Some(Step::Promise(charter.clone())));
    }
    assert_eq!(a.look(three(1)), Some(Step::Promise(charter.clone())), "it is back");
    for _ in 1..LOOKS_BEFORE_WITHDRAWAL {
        a.look(three(1)[..2].to_vec());
    }
    assert_eq!(a.look(three(1)[..2].to_vec()), Some(Step::Withdraw(charter)));
}

#[test]
fn a_promise_that_was_withdrawn_does_not_count() {
    let (mut a, b, c) = (founding("a"), founder("b", 1), founder("c", 1));
    let charter = promise_of(&mut a, &three(1));
    a.promised(b.key(), &charter);
    a.withdrawn(b.key(), charter.cluster_id());
    assert_eq!(a.promised(c.key(), &charter), None);
    assert!(matches!(a.promised(b.key(), &charter), Some(Step::Found(_))));
}

#[test]
fn promises_of_nodes_that_come_and_go_take_the_place_of_no_other() {
    let (mut a, b, c) = (founding("a"), founder("b", 1), founder("c", 1));
    let charter = promise_of(&mut a, &three(1));
    a.promised(b.key(), &charter);
    for life in 0..2 * PROMISES_MAX as u64 {
        a.promised(founder("d", life).key(), &charter);
    }
    assert!(a.promises.len() <= PROMISES_MAX);
    assert_eq!(
        a.promised(c.key(), &charter),
        Some(Step::Found(charter)),
        "what `b` and `a` itself have promised still counts"
    );
}

#[test]
fn news_of_clusters_that_came_to_nothing_is_bounded() {
    let (mut a, b) = (founding("a"), founder("b", 1).key());
    for id in 0..2 * latest::LATEST_MAX as u64 {
        a.abandoned(id);
    }
    let charter = Charter::new(three(1), terms(3));
    a.abandoned(charter.cluster_id());
    assert_eq!(a.told(b, charter), None, "the latest is known");
    for news in [&a.refused, &a.abandoned] {
        assert_eq!(news.iter().count(), latest::LATEST_MAX);
    }
}

#[test]
fn nodes_that_promised_too_early_agree_once_their_views_do() {
    let all = || ["a", "b", "c", "d"].map(|name| founder(name, 1)).to_vec();
    let (mut b, mut c) = (founding("b"), founding("c"));
    promise_of(&mut b, &all()[1..]);
    let first = promise_of(&mut c, &all());
    assert!((0..LOOKS_BEFORE_WITHDRAWAL).any(|_| matches!(b.look(all()), Some(Step::Withdraw(_)))));
    assert_eq!(b.look(all()), Some(Step::Promise(first)));
}

#[test]
fn a_node_that_is_bound_stays_bound() {
    let mut a = founding("a");
    let charter = promise_of(&mut a, &three(1));
    assert_eq!(a.raft(charter.cluster_id()), (true, Some(Step::Found(charter.clone()))));
    assert_eq!(a.look(three(2)), None);
    assert_eq!(a.raft(charter.cluster_id()), (true, None));
    assert_eq!(a.told(founder("b", 1).key(), Charter::new(three(2), terms(3))), None);
}

#[test]
fn who_reaches_a_founded_cluster_never_founds_another() {
    let mut d = founding("d");
    let charter = Charter::new(three(1), terms(3));
    assert_eq!(d.told(founder("a", 1).key(), charter.clone()), Some(Step::Visit(charter)));
    for _ in 0..3 {
        assert_eq!(d.look(vec![founder("d", 1), founder("e", 1), founder("f", 1)]), None);
    }
}

/// Node `a`, which has withdrawn its promise since it did not see `c` for long.
fn withdrawn() -> (Founding, Charter) {
    let mut a = founding("a");
    let charter = promise_of(&mut a, &three(1));
    assert!((0..LOOKS_BEFORE_WITHDRAWAL).any(|_| a.look(three(1)[..2].to_vec()).is_some_and(is_withdrawal)));
    (a, charter)
}

fn is_withdrawal(step: Step) -> bool {
    matches!(step, Step::Withdraw(_))
}

#[test]
fn who_withdrew_from_a_cluster_that_a_majority_founded_visits_it() {
    let (mut a, charter) = withdrawn();
    let (b, c) = (founder("b", 1).key(), founder("c", 1).key());
    assert_eq!(a.told(c, charter.clone()), None, "one of three is no majority");
    assert_eq!(a.told(c, charter.clone()), None, "however often it says so");
    assert_eq!(a.told(b, charter.clone()), Some(Step::Visit(charter.clone())));
    assert_eq!(a.raft(charter.cluster_id()), (false, None), "as a guest: it votes for nobody");
}

/// Node `a`, alone with a cluster that it founded.
fn alone() -> (Founding, Charter) {
    let mut a = founding("a");
    let charter = promise_of(&mut a, &three(1));
    a.promised(founder("b", 1).key(), &charter);
    assert!(matches!(a.promised(founder("c", 1).key(), &charter), Some(Step::Found(_))));
    (a, charter)
}

#[test]
fn a_founder_abandons_a_cluster_that_all_others_refuse() {
    let ((mut a, charter), id) = (alone(), alone().1.cluster_id());
    a.withdrawn(founder("b", 1).key(), id);
    assert_eq!(a.review(&three(1), true), None, "c may have founded it");
    a.withdrawn(founder("d", 1).key(), id);
    assert_eq!(a.review(&three(1), true), None, "who is no founder has no say");
    a.withdrawn(founder("c", 1).key(), id);
    assert_eq!(a.review(&three(1), true), Some(Step::Abandon(charter)));
}

#[test]
fn a_founder_abandons_a_cluster_whose_others_refuse_it_or_died_before_anything_was_committed() {
    let ((mut a, charter), id) = (alone(), alone().1.cluster_id());
    assert_eq!(a.review(&three(2), true), None, "b may have founded it");
    a.withdrawn(founder("b", 1).key(), id);
    assert_eq!(a.review(&three(2), false), None, "c may have committed something with a");
    assert_eq!(a.review(&three(2), true), Some(Step::Abandon(charter)));
}

#[test]
fn what_two_founders_that_died_may_have_committed_is_not_abandoned() {
    let (mut a, _) = alone();
    let both_again = vec![founder("a", 1), founder("b", 2), founder("c", 2)];
    assert_eq!(a.review(&both_again, true), None);
}

#[test]
fn who_belongs_to_an_abandoned_cluster_ends_and_nobody_joins_it_any_more() {
    let (charter, c) = (Charter::new(three(1), terms(3)), founder("c", 1).key());
    let mut guest = founding("d");
    guest.told(c, charter.clone());
    assert_eq!(guest.abandoned(charter.cluster_id()), Some(Step::Abandon(charter.clone())));
    let mut e = founding("e");
    assert_eq!(e.abandoned(charter.cluster_id()), None);
    assert_eq!(e.told(c, charter), None);
}

#[test]
fn an_observer_never_founds() {
    let mut observer = Founding::new(founder("a", 1).key(), terms(3), false);
    for _ in 0..3 {
        assert_eq!(observer.look(three(1)), None);
    }
}

#[test]
fn one_node_founds_alone() {
    let mut a = Founding::new(founder("a", 1).key(), terms(1), true);
    a.look(vec![founder("a", 1)]);
    assert!(matches!(a.look(vec![founder("a", 1)]), Some(Step::Found(_))));
}

#[test]
fn founders_that_gave_each_other_up_found_when_they_meet_again() {
    let (mut a, first) = withdrawn();
    let (mut b, mut c) = (founding("b"), founding("c"));
    for other in [&mut b, &mut c] {
        assert_eq!(promise_of(other, &three(1)), first);
    }
    // The others still stand by their promises when `a` sees them again.
    let second = promise_of(&mut a, &three(1));
    assert_eq!((second.attempt, &second.founders), (1, &first.founders));
    for other in [&mut b, &mut c] {
        assert_eq!(other.promised(founder("a", 1).key(), &second), None);
        assert_eq!(other.look(three(1)), Some(Step::Withdraw(first.clone())));
        assert_eq!(other.look(three(1)), Some(Step::Promise(second.clone())));
    }
    assert_eq!(a.promised(founder("b", 1).key(), &second), None);
    assert_eq!(a.promised(founder("c", 1).key(), &second), Some(Step::Found(second)));
}
