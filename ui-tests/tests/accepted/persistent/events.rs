//! Events are applied, those of older versions after they were made ones of today; fields may be named beside them.

use casty::actor::{Persistent, state};
use casty::codec::encode;
use casty::prelude::*;

#[message]
enum Event {
    Added(u64),
    Cleared,
}

#[persistent(total, events = Event, snapshot_every = 10)]
struct Sum {
    total: u64,
    seen: u64,
}

impl EventSourced for Sum {
    fn apply(&mut self, event: Event) {
        match event {
            Event::Added(number) => self.total += number,
            Event::Cleared => self.total = 0,
        }
        self.seen += 1;
    }
}

#[message]
struct Old(u8);

#[persistent(version = 4, events = Item<T>, upcast(1 = from_1, 2 = std::convert::identity))]
struct Bag<T>
where
    T: Clone + From<u8>,
{
    items: Vec<T>,
}

type Item<T> = Option<T>;

fn from_1<T: From<u8>>(Old(item): Old) -> Option<T> {
    Some(item.into())
}

impl<T: Clone + From<u8> + casty::__private::serde::Serialize + casty::__private::serde::de::DeserializeOwned>
    EventSourced for Bag<T>
{
    fn apply(&mut self, event: Option<T>) {
        self.items.extend(event);
    }
}

#[actor]
impl Sum {
    fn new(_: EntityId) -> Self {
        Self { total: 0, seen: 0 }
    }

    #[message]
    fn add(&mut self, number: u64, ctx: &mut Ctx<Self>) -> u64 {
        ctx.emit(self, Event::Added(number));
        self.total
    }

    #[message]
    async fn clear(&mut self, ctx: &mut Ctx<Self>) {
        ctx.emit(self, Event::Cleared);
    }
}

#[test]
fn events_are_replayed_and_state_is_restored() {
    let mut sum = Sum { total: 1, seen: 0 };
    sum.replay(1, &encode(&Event::Added(2)).unwrap()).unwrap();
    assert_eq!((sum.total, sum.seen), (3, 1));
    assert!(state::restore(&mut sum, state::save(&Sum { total: 9, seen: 9 }).unwrap()).unwrap());
    assert_eq!((sum.total, sum.seen), (9, 1));
    let events = Sum::LAYOUT.events.unwrap();
    assert_eq!((events.snapshot_every, events.upcast), (10, &[][..]));

    let mut bag = Bag { items: vec![1u64] };
    bag.replay(1, &encode(&Old(2)).unwrap()).unwrap();
    bag.replay(2, &encode(&Some(3u64)).unwrap()).unwrap();
    bag.replay(4, &encode(&None::<u64>).unwrap()).unwrap();
    assert_eq!(bag.items, [1, 2, 3]);
    let events = Bag::<u64>::LAYOUT.events.unwrap();
    assert_eq!((events.snapshot_every, events.upcast), (1000, &[1, 2][..]));
}
