//! State that only events change.

use std::sync::Arc;

use casty::actor::{OldState, Persistent, StateError, state};
use casty::cluster::Kind;
use casty::codec::{encode, tag};
use casty::prelude::*;
use casty::{AskError, Sharded};
use casty_tests::cluster::{Cluster, DEADLINE, Folders, eventually};

use crate::counted::Counted as CountedStores;
use crate::files::Found;

/// What happens to a ledger.
#[message]
pub(crate) enum LedgerEvent {
    /// A line was written.
    Booked { text: String, cents: i64 },
    /// All lines were crossed out.
    Cleared,
}

/// A list that grows. What was `written` is of the node.
#[persistent(lines, cents, events = LedgerEvent, snapshot_every = 8)]
struct Ledger {
    lines: Vec<String>,
    cents: i64,
    written: u64,
}

impl EventSourced for Ledger {
    fn apply(&mut self, event: LedgerEvent) {
        match event {
            LedgerEvent::Booked { text, cents } => {
                self.lines.push(text);
                self.cents += cents;
            }
            LedgerEvent::Cleared => (self.lines, self.cents) = (Vec::new(), 0),
        }
    }
}

#[actor(name = "state.Ledger")]
impl Ledger {
    fn new(_: EntityId) -> Self {
        Self { lines: Vec::new(), cents: 0, written: 0 }
    }

    #[message]
    fn book(&mut self, text: String, cents: i64, ctx: &mut Ctx<Self>) -> i64 {
        self.written += 1;
        ctx.emit(self, LedgerEvent::Booked { text, cents });
        self.cents
    }

    #[message]
    async fn replace(&mut self, texts: Vec<String>, ctx: &mut Ctx<Self>) -> usize {
        ctx.emit(self, LedgerEvent::Cleared);
        for text in texts {
            tokio::task::yield_now().await;
            ctx.emit(self, LedgerEvent::Booked { text, cents: 1 });
        }
        self.lines.len()
    }

    #[message]
    fn book_and_fail(&mut self, text: String, ctx: &mut Ctx<Self>) {
        ctx.emit(self, LedgerEvent::Booked { text, cents: 1 });
        fail();
    }

    #[message]
    fn book_behind(&mut self, text: String) {
        self.lines.push(text);
    }

    #[message]
    fn book_between(&mut self, text: String, ctx: &mut Ctx<Self>) {
        ctx.emit(self, LedgerEvent::Booked { text: text.clone(), cents: 1 });
        self.lines.push(text.clone());
        ctx.emit(self, LedgerEvent::Booked { text, cents: 1 });
    }

    #[message]
    fn lines(&self) -> (Vec<String>, i64) {
        (self.lines.clone(), self.cents)
    }

    #[message]
    fn size(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }
}

fn fail() {
    panic!("it panics");
}

fn numbers(range: std::ops::Range<usize>) -> (Vec<String>, i64) {
    (range.clone().map(|number| number.to_string()).collect(), range.len() as i64)
}

async fn book(ledgers: &Sharded<Ledger>, id: &str, range: std::ops::Range<usize>) {
    for number in range {
        let booked = ledgers.entity(id).book(number.to_string(), 1).timeout(DEADLINE).await;
        assert_eq!(booked, Ok(number as i64 + 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_events_made_is_there_after_the_leader_has_crashed_at_every_distance_from_a_snapshot() {
    let mut cluster = Cluster::start(3).await;
    let ledgers = cluster.sharded::<Ledger>("ledger").await;
    let (asker, leader) = (0, 1);
    let ids: Vec<_> = cluster.ids_led_by(leader, &ledgers[asker], "ledger").take(20).collect();
    for (count, id) in ids.iter().enumerate() {
        book(&ledgers[asker], id, 0..count).await;
    }
    cluster.crash(leader);
    for (count, id) in ids.iter().enumerate() {
        assert_eq!(ledgers[asker].entity(id.as_str()).lines().timeout(DEADLINE).await, Ok(numbers(0..count)));
        book(&ledgers[asker], id, count..count + 9).await;
        assert_eq!(ledgers[asker].entity(id.as_str()).lines().await, Ok(numbers(0..count + 9)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_events_made_is_there_after_all_nodes_have_stopped() {
    let folders = Folders::new(3);
    let mut cluster = Cluster::start_in(&folders).await;
    for round in 0..4 {
        let ledgers = cluster.node(round % 3).sharded::<Ledger>("ledger").start().await.unwrap();
        for count in 0..10 {
            let (id, there) = (format!("ledger-{count}"), round * count);
            assert_eq!(ledgers.entity(id.as_str()).lines().timeout(DEADLINE).await, Ok(numbers(0..there)));
            book(&ledgers, &id, there..there + count).await;
        }
        cluster.stop().await;
        cluster.start_again(&folders, 0..3).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_after_the_leader_is_lost_adds_its_events_once() {
    let mut cluster = Cluster::start(3).await;
    let ledgers = cluster.sharded::<Ledger>("ledger").await;
    let (asker, leader, other) = (0, 1, 2);
    // The write that is sent again adds events to one of them, and makes a snapshot of the other.
    let ids: Vec<_> = cluster.ids_led_by(leader, &ledgers[asker], "retried").take(2).collect();
    let (first, second) = (ids[0].clone(), ids[1].clone());
    book(&ledgers[asker], &first, 0..3).await;
    book(&ledgers[asker], &second, 0..8).await;
    cluster.quiet().await;
    let before = cluster.statuses();
    cluster.hold(leader, asker, Kind::REPLY);
    let asks = [(&first, 3), (&second, 8)].map(|(id, number)| {
        let (ledgers, id) = (ledgers[asker].clone(), id.clone());
        tokio::spawn(async move { book(&ledgers, &id, number..number + 1).await })
    });
    eventually(DEADLINE, "both followers have applied both writes", || {
        [&first, &second].iter().all(|id| {
            let group = ledgers[asker].group_of(id);
            [asker, other].iter().all(|node| cluster.status(*node, group).applied > before[&(*node, group)].applied)
        })
    })
    .await;
    cluster.quiet().await;
    assert!(asks.iter().all(|ask| !ask.is_finished()), "the replies are held back");
    cluster.crash(leader);
    for ask in asks {
        ask.await.unwrap();
    }
    assert_eq!(ledgers[asker].entity(first.as_str()).lines().await, Ok(numbers(0..4)));
    assert_eq!(ledgers[asker].entity(second.as_str()).lines().await, Ok(numbers(0..9)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_fails_has_emitted_nothing() {
    let mut cluster = Cluster::start(3).await;
    let ledgers = cluster.sharded::<Ledger>("ledger").await;
    let (asker, leader) = (0, 1);
    let id = cluster.ids_led_by(leader, &ledgers[asker], "failing").next().unwrap();
    let ledger = ledgers[asker].entity(id.as_str());
    for round in 0..12 {
        assert_eq!(ledger.book_and_fail("never".to_owned()).await, Err(AskError::Failed));
        assert_eq!(ledger.lines().await, Ok(numbers(0..round)));
        book(&ledgers[asker], &id, round..round + 1).await;
    }
    cluster.crash(leader);
    assert_eq!(ledger.lines().timeout(DEADLINE).await, Ok(numbers(0..12)));
}

/// With debug assertions: tests have them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_changes_the_state_by_itself_fails() {
    let cluster = Cluster::start(3).await;
    let ledgers = cluster.node(0).sharded::<Ledger>("ledger").start().await.unwrap();
    let ledger = ledgers.entity("meddled with");
    for round in 0..3 {
        assert_eq!(ledger.book_behind("never".to_owned()).await, Err(AskError::Failed));
        assert_eq!(ledger.book_between("never".to_owned()).await, Err(AskError::Failed));
        book(&ledgers, "meddled with", round..round + 1).await;
    }
    assert_eq!(ledger.lines().await, Ok(numbers(0..3)));
    let texts = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(ledger.replace(texts).await, Ok(20));
    assert_eq!(ledger.lines().await, Ok(numbers(0..20)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_logs_its_events_however_large_the_state_is_and_the_state_when_a_snapshot_is_due() {
    const NODES: usize = 3;
    const LINE_BYTES: usize = 1 << 10;
    const LINES: usize = 1 << 10;
    const LOGGED_BYTES_MAX: usize = 1 << 10;
    let stores = CountedStores::default();
    let cluster = Cluster::start_with(NODES, |config| config.stores(Arc::new(stores.clone()))).await;
    let ledgers = &cluster.sharded::<Ledger>("ledger").await[0];
    let ledger = ledgers.entity("large");
    ledger.replace(vec!["x".repeat(LINE_BYTES); LINES]).await.unwrap();
    cluster.quiet().await;
    let (mut before, mut logged) = (stores.bytes(), Vec::new());
    for _ in 0..24 {
        ledger.book("a line".to_owned(), 1).await.unwrap();
        cluster.quiet().await;
        let now = stores.bytes();
        logged.push((now - before) / NODES);
        before = now;
    }
    println!("{logged:?} bytes a write");
    let snapshots: Vec<_> = (0..logged.len()).filter(|at| logged[*at] > LINES * LINE_BYTES).collect();
    assert_eq!(snapshots, [7, 15, 23], "every eighth event is one");
    assert!(logged.iter().enumerate().all(|(at, bytes)| snapshots.contains(&at) || *bytes < LOGGED_BYTES_MAX));
    assert_eq!(ledger.size().await, Ok(LINES * LINE_BYTES + 24 * "a line".len()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_is_too_large_for_a_snapshot_takes_no_event_more_until_it_is_smaller() {
    const LINE_BYTES: usize = 400 << 10;
    let cluster = Cluster::start(3).await;
    let ledgers = cluster.node(0).sharded::<Ledger>("ledger").start().await.unwrap();
    let ledger = ledgers.entity("too large");
    for line in 1..=8 {
        assert_eq!(ledger.book("x".repeat(LINE_BYTES), 1).await, Ok(line));
    }
    assert_eq!(ledger.book("x".to_owned(), 1).await, Err(AskError::Failed), "it would be a snapshot");
    assert_eq!(ledger.size().await, Ok(8 * LINE_BYTES));
    assert_eq!(ledger.replace(vec!["small".to_owned()]).await, Ok(1));
    assert_eq!(ledger.book("again".to_owned(), 1).await, Ok(2));
}

#[tokio::test]
async fn an_actor_that_is_no_entity_applies_its_events() {
    let system = ActorSystem::new("local");
    let ledger = system.spawn(Ledger::new("a".into())).await.unwrap();
    assert_eq!(ledger.book("0".to_owned(), 1).await, Ok(1));
    assert_eq!(ledger.lines().await, Ok(numbers(0..1)));
    system.shutdown().await;
}

/// What happened to a meter in version 1: pulses of a tenth each.
#[message]
struct Pulses(u8);

/// What happens today.
#[message]
struct Counted {
    hundredths: u64,
}

#[persistent(version = 3, migrate(1 = to_hundredths), events = Counted, upcast(1 = of_pulses), snapshot_every = 3)]
struct Meter {
    hundredths: u64,
}

fn to_hundredths(old: &mut OldState) -> Result<(), BoxError> {
    let tenths: u64 = old.take("tenths")?;
    old.put("hundredths", &(10 * tenths))?;
    Ok(())
}

fn of_pulses(Pulses(pulses): Pulses) -> Counted {
    Counted { hundredths: 10 * u64::from(pulses) }
}

impl EventSourced for Meter {
    fn apply(&mut self, event: Counted) {
        self.hundredths += event.hundredths;
    }
}

#[actor(name = "state.Meter")]
impl Meter {
    fn new(_: EntityId) -> Self {
        Self { hundredths: 0 }
    }

    #[message]
    fn count(&mut self, hundredths: u64, ctx: &mut Ctx<Self>) -> u64 {
        ctx.emit(self, Counted { hundredths });
        self.hundredths
    }
}

/// What version 1 kept.
#[persistent]
struct First {
    tenths: u64,
}

#[test]
fn events_of_an_older_version_are_made_ones_of_today() {
    let mut meter = Meter { hundredths: 0 };
    assert_eq!(state::restore(&mut meter, state::save(&First { tenths: 5 }).unwrap()), Ok(false));
    meter.replay(1, &encode(&Pulses(3)).unwrap()).unwrap();
    meter.replay(2, &encode(&Counted { hundredths: 7 }).unwrap()).unwrap();
    meter.replay(3, &encode(&Counted { hundredths: 1 }).unwrap()).unwrap();
    assert_eq!(meter.hundredths, 88);
    let error = meter.replay(2, &[]).unwrap_err();
    assert!(matches!(&error, StateError::Event { of, stored: 2, .. } if of.ends_with("Meter")), "{error}");
    let none = First { tenths: 1 }.replay(1, &[]).unwrap_err();
    assert!(matches!(&none, StateError::NoEvents { of } if of.ends_with("First")), "{none}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_an_older_version_are_read_and_the_next_write_is_a_snapshot() {
    // The row says that there are two rows of events; the first has two.
    let key = |id: &str, more: &[u8]| [&tag("meter").to_be_bytes(), id.as_bytes(), more].concat();
    let event = |number: u64, pulses: &[u8]| {
        let events = pulses.iter().flat_map(|pulse| [1, *pulse]).collect();
        (key("old", &[&[0xff][..], &number.to_be_bytes()].concat()), events)
    };
    let row = [&9u64.to_le_bytes()[..], &[2], &2u64.to_le_bytes()].concat();
    let snapshot = state::save(&First { tenths: 1 }).unwrap();
    let rows = vec![(key("old", &[]), row), (key("old", &[0xff]), snapshot), event(0, &[2, 3]), event(1, &[4])];
    let stores = Arc::new(Found(rows));
    let mut cluster = Cluster::start_with(3, |config| config.stores(stores.clone())).await;
    let meters = cluster.sharded::<Meter>("meter").await;
    for total in 101..103 {
        assert_eq!(meters[0].entity("old").count(1).await, Ok(total));
    }
    let leader = cluster.leader_of(meters[0].group_of("old"), 0).await;
    let asker = cluster.other_than(&[leader]);
    cluster.crash(leader);
    for total in 103..110 {
        assert_eq!(meters[asker].entity("old").count(1).timeout(DEADLINE).await, Ok(total));
    }
}
