//! Strangers who do not speak casty, or not to the end.

use casty::testkit::stranger::Stranger;
use futures_util::future::join_all;

use crate::siege::{CLUSTER, Siege, noise};

/// What strangers begin with.
fn openings() -> Vec<Vec<u8>> {
    let hello = Stranger::hello(CLUSTER, "stranger").unwrap();
    let framed = |bytes: &[u8]| [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat();
    let mut openings = vec![
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        hello[..hello.len() / 2].to_vec(),
        hello[..3].to_vec(),
        [&hello[..], &noise(1, 5_000)].concat(),
        [&hello[..], &hello[..]].concat(),
        Stranger::hello("another cluster", "stranger").unwrap(),
        u32::MAX.to_le_bytes().to_vec(),
        [&u32::MAX.to_le_bytes()[..], &noise(2, 10_000)].concat(),
        vec![0; 4],
        vec![0; 100_000],
        framed(&[1]),
        framed(&noise(3, 4_000)),
        framed(&[&[1][..], b"csty\x09\x00\x01 of a later version"].concat()),
        framed(&[&[1][..], b"csty\x01\x00\x01", &[253], &[0xff; 8]].concat()),
    ];
    openings.extend((0..hello.len()).map(|at| {
        let mut damaged = hello.clone();
        damaged[at] ^= 0x55;
        damaged
    }));
    openings.extend((0..100).map(|seed| noise(seed, 1 + seed as usize * 37)));
    openings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_speak_casty_is_shown_out_and_clients_do_not_notice() {
    let mut siege = Siege::begin().await;
    let address = siege.address();
    siege
        .during(join_all(openings().into_iter().map(async |opening| {
            let mut stranger = Stranger::connect(&address).await.unwrap();
            // The node may have closed it before all was said.
            let _ = stranger.write(&opening).await;
            stranger.closed().await;
        })))
        .await;
    siege.newcomer().await;
    siege.end().await;
}
