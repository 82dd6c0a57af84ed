//! The stream, on a fleet in this process.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use casty::base::{GroupId, NodeId};
use casty_examples::flights::compare::differences;
use casty_examples::flights::error::FlightsError;
use casty_examples::flights::fleet::{Fleet, Reply};
use casty_examples::flights::kills::moments;
use casty_examples::flights::ledger::Ledger;
use casty_examples::flights::plant::sendings;
use casty_examples::flights::rows::Flight;
use casty_examples::flights::stream::{read_back, stream};
use casty_examples::flights::summary::Summary;
use casty_examples::flights::totals::{Totals, fold};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use indicatif::ProgressBar;
use tokio::time::{Instant, sleep, sleep_until};

use crate::sample::{flights, january};

/// How long a request takes, and how long the groups of a killed node answer nothing.
const LATENCY: Duration = Duration::from_millis(1);
const FAILOVER: Duration = Duration::from_millis(300);

/// How long a killed node takes to be replaced.
const REPLACED: Duration = Duration::from_secs(30);

/// Two groups, each led by a node of its own. Time is tokio's, and paused.
#[derive(Default)]
struct Sandbox {
    seen: Rc<RefCell<Seen>>,
    killed: Option<(NodeId, Instant)>,
    /// How often a node was killed, in messages that had arrived.
    kills: Vec<usize>,
    fails: bool,
}

#[derive(Default)]
struct Seen {
    entities: HashMap<String, (Totals, Ledger)>,
    unanswered: usize,
    unanswered_max: usize,
    unanswered_at_kill: usize,
}

impl Sandbox {
    fn led_by(group: GroupId) -> NodeId {
        format!("node-{}", group.0).into()
    }
}

impl Fleet for Sandbox {
    fn depart(&self, ordinal: u64, flight: &Flight) -> Reply<u64> {
        let (seen, flight, fails) = (Rc::clone(&self.seen), flight.clone(), self.fails);
        let dead = self.killed.as_ref().filter(|(node, _)| *node == Self::led_by(self.group_of(&flight.tailnum)));
        let open = dead.map_or_else(Instant::now, |(_, at)| *at + FAILOVER);
        async move {
            {
                let mut seen = seen.borrow_mut();
                seen.unanswered += 1;
                seen.unanswered_max = seen.unanswered_max.max(seen.unanswered);
                let (totals, ledger) = seen.entities.entry(flight.tailnum.clone()).or_default();
                totals.add(&flight);
                ledger.arrived(ordinal);
            }
            sleep_until(open).await;
            sleep(LATENCY).await;
            seen.borrow_mut().unanswered -= 1;
            if fails { Err("no majority".into()) } else { Ok(ordinal) }
        }
        .boxed_local()
    }

    fn report(&self, tailnum: &str, sent: u64) -> Reply<Summary> {
        let (totals, ledger) = self.seen.borrow().entities.get(tailnum).cloned().unwrap_or_default();
        async move {
            sleep(LATENCY).await;
            Ok(Summary { totals, counters: ledger.counters(sent) })
        }
        .boxed_local()
    }

    fn group_of(&self, tailnum: &str) -> GroupId {
        GroupId(1 + u16::from(tailnum.len().is_multiple_of(2)))
    }

    fn leaders(&self) -> Vec<(GroupId, Option<NodeId>)> {
        [1, 2].map(|group| (GroupId(group), Some(Self::led_by(GroupId(group))))).into()
    }

    fn living(&self) -> Vec<NodeId> {
        let all = [1, 2].map(|group| Self::led_by(GroupId(group)));
        all.into_iter().filter(|node| self.killed.as_ref().is_none_or(|(killed, _)| killed != node)).collect()
    }

    fn kill(&mut self, node: &NodeId) -> Result<(), FlightsError> {
        let mut seen = self.seen.borrow_mut();
        seen.unanswered_at_kill = seen.unanswered;
        assert!(self.killed.is_none(), "the last one has no successor yet");
        self.killed = Some((node.clone(), Instant::now()));
        self.kills.push(seen.entities.values().map(|(totals, _)| totals.flights as usize).sum());
        Ok(())
    }

    fn whole(&mut self) -> LocalBoxFuture<'_, Result<(), FlightsError>> {
        async {
            if let Some((_, at)) = self.killed.take() {
                assert_eq!(self.seen.borrow().unanswered, 0, "answers are not kept waiting");
                sleep_until(at + REPLACED).await;
            }
            Ok(())
        }
        .boxed_local()
    }
}

#[tokio::test(start_paused = true)]
async fn every_row_arrives_in_file_order_within_the_window() {
    let flights = january();
    let expected = fold(&flights);
    let mut fleet = Sandbox::default();
    let bar = ProgressBar::hidden();
    let streamed = stream(&mut fleet, &flights, &sendings(&flights), &[], 256, &bar).await.unwrap();
    assert_eq!((streamed.messages, bar.position()), (27_004, 27_004));
    let seen = fleet.seen.borrow().unanswered_max;
    assert_eq!(seen, 256, "the window is filled and kept");
    let summaries = read_back(&fleet, &expected, 256, &ProgressBar::hidden()).await.unwrap();
    assert_eq!(differences(&expected, &summaries), [""; 0]);
    assert!(summaries.values().all(|summary| summary.counters == Default::default()));
}

#[tokio::test(start_paused = true)]
async fn the_kill_waits_for_a_hundred_unanswered_and_the_failover_is_measured() {
    let flights = january();
    let sendings = sendings(&flights);
    let mut fleet = Sandbox::default();
    let moments = moments(sendings.len(), 1);
    let streamed = stream(&mut fleet, &flights, &sendings, &moments, 512, &ProgressBar::hidden()).await.unwrap();
    let [kill] = &streamed.kills[..] else { panic!("one kill: {:?}", streamed.kills) };
    assert!(kill.unanswered >= 100, "{kill:?}");
    assert_eq!(kill.unanswered, fleet.seen.borrow().unanswered_at_kill);
    assert_eq!((kill.node.as_str(), kill.groups, kill.unmeasured()), ("node-1", 1, 0));
    let failover = kill.failover().unwrap();
    assert!(failover >= FAILOVER && failover < FAILOVER + 10 * LATENCY, "{failover:?}");
    assert!(streamed.latency_max >= failover, "{streamed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_kill_waits_for_the_successor_of_the_last_and_the_wait_is_not_counted() {
    let (flights, small) = (january(), flights(&["odd"; 4]));
    for (flights, kills, at) in [(&flights, 3, Some([6_751, 13_502, 20_253])), (&small, 9, None)] {
        let mut fleet = Sandbox::default();
        let moments = moments(flights.len(), kills);
        let (sent, begun) = (sendings(flights), Instant::now());
        let streamed = stream(&mut fleet, flights, &sent, &moments, 512, &ProgressBar::hidden()).await.unwrap();
        let at = at.map_or(vec![1, 2, 3, 4], |at| at.to_vec());
        let near = fleet.kills.iter().zip(&at).all(|(arrived, at)| (*at..*at + 512).contains(arrived));
        assert!(near && fleet.kills.len() == at.len(), "{:?} and should be {at:?}", fleet.kills);
        let stood_still = begun.elapsed() - streamed.time;
        let waits = fleet.kills.len() as u32 - 1;
        assert!(stood_still > (REPLACED - 2 * FAILOVER) * waits && stood_still <= REPLACED * waits, "{stood_still:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_window_or_file_lowers_the_bar_and_leaves_rows_for_the_measurement() {
    for (rows, window) in [(2000, 10), (40, 512), (2, 512)] {
        let flights = flights(&vec!["odd"; rows]);
        let mut fleet = Sandbox::default();
        let moments = moments(rows, 1);
        let sent = sendings(&flights);
        let streamed = stream(&mut fleet, &flights, &sent, &moments, window, &ProgressBar::hidden()).await.unwrap();
        let kill = &streamed.kills[0];
        assert!(kill.unanswered > 0 && kill.unanswered <= window, "{kill:?}");
        assert!(kill.failover().is_some(), "{rows} rows: {kill:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_ends_the_run_and_is_named() {
    let flights = flights(&["a", "b"]);
    let mut fleet = Sandbox { fails: true, ..Sandbox::default() };
    let error = stream(&mut fleet, &flights, &sendings(&flights), &[], 512, &ProgressBar::hidden()).await.unwrap_err();
    assert!(error.to_string().contains("row 1 (departure 1 of aircraft a) failed"), "{error}");
    assert!(error.to_string().contains("no majority") && error.exit_status() == 1, "{error}");
}
