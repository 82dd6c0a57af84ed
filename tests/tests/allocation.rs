//! How much memory things take: bytes from the network next to none if they lie about their length, and else a small
//! multiple of what they are; an idle actor what is written down.

#![cfg(test)]

use std::sync::{Mutex, PoisonError};

use casty::codec::decode;
use casty::prelude::*;
use casty_tests::cabinet::decoders;
use peak_alloc::PeakAlloc;

/// Counts every byte of this program.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole program, so one test measures at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// A frame may announce so much, and its reader makes room for it.
const FRAME_BYTES_MAX: usize = 65 << 20;

/// What a short body may take, however it lies: one MiB for each of the collections that are one within the other.
const LIE_BYTES_MAX: usize = 6 << 20;

/// What a body may take in memory for each of its bytes, in a decoder that decodes and encodes it several times.
const TIMES_MAX: usize = 100;

/// Lengths as the codec spells them: up to 250 is one byte; 251, 252 and 253 announce two, four and eight.
const LIES: &[&[u8]] = &[
    &[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[253, 0, 0, 0, 0, 1, 0, 0, 0],
    &[252, 0xff, 0xff, 0xff, 0xff],
    &[252, 0, 0, 0xc0, 3],
    &[252, 0, 0, 0xf, 0],
    &[251, 0xff, 0xff],
    &[250],
];

/// The most that is held at one time beyond what is held now.
fn peak_of(run: impl FnOnce()) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    run();
    HEAP.peak_usage().saturating_sub(before)
}

#[test]
fn a_length_that_lies_anywhere_in_a_body_takes_next_to_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for decoder in decoders() {
        let bound = if decoder.name == "frame" { FRAME_BYTES_MAX + LIE_BYTES_MAX } else { LIE_BYTES_MAX };
        for sample in (decoder.samples)() {
            for (at, lie) in (0..sample.len()).flat_map(|at| LIES.iter().map(move |lie| (at, lie))) {
                let bytes = [&sample[..at], lie, &sample[at + 1..]].concat();
                let peak = peak_of(|| _ = (decoder.run)(&bytes));
                assert!(peak <= bound, "{}: {peak} bytes for {bytes:?}", decoder.name);
            }
        }
    }
}

#[test]
fn lengths_that_lie_one_within_the_other_take_next_to_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for decoder in decoders() {
        let bound = if decoder.name == "frame" { FRAME_BYTES_MAX + LIE_BYTES_MAX } else { LIE_BYTES_MAX };
        for sample in (decoder.samples)() {
            for (at, lie) in (0..sample.len()).flat_map(|at| LIES.iter().map(move |lie| (at, lie))) {
                let bytes = [&sample[..at], &lie.repeat(200)].concat();
                let peak = peak_of(|| _ = (decoder.run)(&bytes));
                assert!(peak <= bound, "{}: {peak} bytes for {bytes:?}", decoder.name);
            }
        }
    }
}

#[test]
fn every_collection_of_a_message_refuses_a_length_that_lies() {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

    fn measure<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
        let peak = peak_of(|| drop(decode::<T>(bytes)));
        assert!(peak <= LIE_BYTES_MAX, "{}: {peak} bytes for {bytes:?}", std::any::type_name::<T>());
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for lie in LIES {
        for depth in [1, 2, 50] {
            let bytes = lie.repeat(depth);
            measure::<String>(&bytes);
            measure::<Vec<u8>>(&bytes);
            measure::<Box<[u128]>>(&bytes);
            measure::<Vec<[u64; 32]>>(&bytes);
            measure::<Vec<Vec<Vec<Vec<String>>>>>(&bytes);
            measure::<VecDeque<(u8, String)>>(&bytes);
            measure::<HashMap<u64, Vec<u8>>>(&bytes);
            measure::<HashSet<String>>(&bytes);
            measure::<BTreeMap<String, BTreeMap<u8, Vec<u64>>>>(&bytes);
            measure::<BTreeSet<Vec<u8>>>(&bytes);
            measure::<Option<Vec<(HashMap<u8, String>, Vec<char>)>>>(&bytes);
        }
    }
}

#[test]
fn a_body_of_the_shortest_items_takes_a_small_multiple_of_its_bytes() {
    const ITEMS: usize = 300_000;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // One head and one item for each collection that a peer can fill, each byte as small as can be.
    let count = [&[252][..], &(ITEMS as u32).to_le_bytes()].concat();
    let bodies: [(&str, &[u8], &[u8]); 7] = [
        ("control", &[&[4, 0, 5, 0, 0], &count[..]].concat(), &[0]),
        ("announcement", &[&[0, 0], &count[..]].concat(), &[0, 0, 0, 0, 0]),
        ("control", &[&[0], &count[..]].concat(), &[0, 0]),
        ("to_router", &[1], &[2, 0]),
        ("log_entry", &[0], &[0, 0, 0, 0, 0, 0, 1]),
        ("rows", &[], &[0, 0]),
        ("snapshot", &[&[0], &count[..]].concat(), &[0, 0, 0, 0, 1, 0, 1]),
    ];
    for (name, head, item) in bodies {
        let decoder = decoders().into_iter().find(|decoder| decoder.name == name).unwrap();
        let bytes = [head, &item.repeat(ITEMS), &[0, 0]].concat();
        let peak = peak_of(|| _ = (decoder.run)(&bytes));
        assert!(peak <= TIMES_MAX * bytes.len(), "{name}: {peak} bytes for {} of {item:?}", bytes.len());
    }
}

/// What an idle actor may take that was never called, its task, its mailbox and its place in the system included, in
/// bytes.
const NEW_ACTOR_BYTES_MAX: usize = 480;

/// The same for one that was called, and keeps a buffer for a few messages.
const USED_ACTOR_BYTES_MAX: usize = 560;

#[test]
fn an_idle_actor_takes_little_memory() {
    const ACTORS: usize = 20_000;
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let system = ActorSystem::new("idle");
        let mut actors = Vec::with_capacity(ACTORS);
        let before = HEAP.current_usage();
        for n in 0..ACTORS {
            actors.push(system.spawn(Idler { calls: n as u64 }).await.unwrap());
        }
        // Each has waited for its first message.
        tokio::task::yield_now().await;
        let each = || HEAP.current_usage().saturating_sub(before) / ACTORS;
        let new = each();
        assert!(new <= NEW_ACTOR_BYTES_MAX, "{new} bytes an actor that was never called");
        for idler in &actors {
            idler.call().await.unwrap();
        }
        let used = each();
        assert!(used <= USED_ACTOR_BYTES_MAX, "{used} bytes an actor that was called");
    });
}

struct Idler {
    calls: u64,
}

#[actor(local)]
impl Idler {
    #[message]
    fn call(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }
}
