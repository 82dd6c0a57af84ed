//! Strangers who are let in as peers, and send frames that no node sends.

use std::time::Duration;

use casty::cluster::Kind;
use casty::testkit::decoders;
use casty::testkit::stranger::Stranger;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{MissedTickBehavior, interval};

use crate::siege::{CLUSTER, Siege, noise, resident_bytes};

/// Which frames carry what a decoder reads.
const KINDS: &[(&str, Kind)] = &[
    ("gossip", Kind::GOSSIP),
    ("consensus", Kind::RAFT),
    ("to_region", Kind::ENTITY),
    ("to_router", Kind::REPLY),
    ("announcement", Kind::ROUTE),
    ("control", Kind::NODE),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_every_kind_with_bodies_of_every_kind_do_no_harm() {
    let mut siege = Siege::begin().await;
    let mut stranger = Stranger::link(&siege.address(), CLUSTER, "stranger").await.unwrap();
    siege
        .during(async {
            // A compressed frame that cannot be expanded ends the link.
            for kind in (0..=u8::MAX).map(Kind).filter(|kind| *kind != Kind::COMPRESSED) {
                for length in [0, 1, 7, 8, 9, 100, 5_000] {
                    stranger.frame(kind, &noise(u64::from(kind.0), length)).await.expect("the link stands");
                }
            }
            for (name, kind) in KINDS {
                let decoder = decoders::ALL.iter().find(|decoder| decoder.name == *name).unwrap();
                for sample in (decoder.samples)() {
                    for at in 0..sample.len() {
                        let mut damaged = sample.clone();
                        damaged[at] ^= noise(at as u64, 1)[0];
                        stranger.frame(*kind, &damaged).await.expect("the link stands");
                    }
                }
            }
        })
        .await;
    siege.newcomer().await;
    siege.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_that_is_announced_takes_memory_only_as_it_comes() {
    const ANNOUNCED: u32 = 60 << 20;
    const STRANGERS: usize = 16;
    let mut siege = Siege::begin().await;
    let address = siege.address();
    let before = resident_bytes();
    let link = async |number| Stranger::link(&address, CLUSTER, &format!("stranger-{number}")).await;
    let links = try_join_all((0..STRANGERS).map(link)).await.unwrap();
    let mut links = siege
        .during(join_all(links.into_iter().map(async |mut link| {
            link.write(&ANNOUNCED.to_le_bytes()).await.unwrap();
            // Longer than a link may be silent.
            let mut ticks = interval(Duration::from_millis(50));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for _ in 0..40 {
                ticks.tick().await;
                link.write(&[7]).await.expect("slow is not silent");
            }
            link
        })))
        .await;
    if let Some((before, after)) = before.zip(resident_bytes()) {
        let grown = after.saturating_sub(before);
        assert!(grown < ANNOUNCED as usize, "{grown} bytes more for {STRANGERS} frames of which 40 bytes came");
    }
    // Whoever falls silent in the middle of a frame is shown out, and its memory is given back.
    siege.during(join_all(links.iter_mut().map(Stranger::closed))).await;
    siege.newcomer().await;
    siege.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_whose_frames_are_none_is_shown_out() {
    let mut siege = Siege::begin().await;
    let address = siege.address();
    // The last is a compressed frame, on which nobody has agreed.
    let endings: [&[u8]; 5] =
        [&[0xff; 4], &[0xff; 4_000], &[0; 4], &[1, 0, 0, 5, 1], &[7, 0, 0, 0, 8, 17, 1, 0, 0, 0, 7]];
    siege
        .during(join_all(endings.into_iter().enumerate().map(async |(number, ending)| {
            let mut link = Stranger::link(&address, CLUSTER, &format!("stranger-{number}")).await.unwrap();
            link.frame(Kind::PING, &[]).await.unwrap();
            let _ = link.write(ending).await;
            link.closed().await;
        })))
        .await;
    siege.newcomer().await;
    siege.end().await;
}
