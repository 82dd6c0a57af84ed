//! Strangers who do not speak casty, or not to the end.

use casty::testkit::stranger::Stranger;
use futures_util::future::join_all;

use crate::siege::{CLUSTER, Siege, noise};

/// What strangers begin with.
fn openings() -> Vec<Vec<u8>> {
    let preface = Stranger::preface();
    let framed = |bytes: &[u8]| [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat();
    let mut openings = vec![
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        preface[..preface.len() / 2].to_vec(),
        preface[..3].to_vec(),
        [&preface[..], &noise(1, 5_000)].concat(),
        [&preface[..], &preface[..]].concat(),
        u32::MAX.to_le_bytes().to_vec(),
        [&u32::MAX.to_le_bytes()[..], &noise(2, 10_000)].concat(),
        vec![0; 4],
        vec![0; 100_000],
        framed(&[1]),
        framed(&noise(3, 4_000)),
        framed(&[&[1][..], b"csty\x09\x00\x08\x00\x01 of a later version"].concat()),
        // How TLS begins.
        [&[22, 3, 1, 2, 0, 1][..], &noise(4, 600)].concat(),
    ];
    openings.extend((0..preface.len()).map(|at| {
        let mut damaged = preface.clone();
        damaged[at] ^= 0x55;
        damaged
    }));
    openings.extend((0..100).map(|seed| noise(seed, 1 + seed as usize * 37)));
    openings
}

/// What strangers say once the prefaces are said, with the proof that anybody can give where there is no secret.
fn hellos() -> Vec<Vec<u8>> {
    let hello = Stranger::hello(CLUSTER, "stranger").unwrap();
    let mut hellos = vec![
        Vec::new(),
        Stranger::hello("another cluster", "stranger").unwrap(),
        [&hello[..], &hello[..]].concat(),
        [&[253][..], &[0xff; 8]].concat(),
        vec![0xff; 4_000],
    ];
    hellos.extend((0..hello.len()).map(|at| {
        let mut damaged = hello.clone();
        damaged[at] ^= 0x55;
        damaged
    }));
    hellos.extend((0..hello.len()).map(|length| hello[..length].to_vec()));
    hellos
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
    siege
        .during(join_all(hellos().into_iter().map(async |hello| {
            let mut stranger = Stranger::connect(&address).await.unwrap();
            let _ = stranger.say(&hello).await;
            stranger.closed().await;
        })))
        .await;
    siege.newcomer().await;
    siege.end().await;
}
