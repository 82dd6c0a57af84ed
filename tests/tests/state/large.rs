//! What a small change of a large entity costs.

use std::sync::Arc;

use casty::prelude::*;
use casty_tests::cluster::Cluster;

use crate::counted::Counted;

/// Each of them has a log of its own.
const NODES: usize = 3;

/// How large the large field is.
const PICTURE_BYTES: usize = 1 << 20;

/// What a write of the counter beside it may put into the log.
const LOGGED_BYTES_MAX: usize = 1024;

/// A picture, and how often it was looked at.
#[persistent]
struct Picture {
    pixels: Vec<u8>,
    looks: u64,
}

#[actor(name = "state.Picture")]
impl Picture {
    fn new(_: EntityId) -> Self {
        Self { pixels: Vec::new(), looks: 0 }
    }

    #[message]
    fn paint(&mut self, color: u8) {
        self.pixels = vec![color; PICTURE_BYTES];
    }

    #[message]
    fn look(&mut self) -> u64 {
        self.looks += 1;
        self.looks
    }

    #[message]
    fn size(&self) -> usize {
        self.pixels.iter().filter(|pixel| **pixel == 7).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_beside_a_large_field_logs_less_than_a_kilobyte_a_write() {
    const LOOKS: usize = 100;
    let stores = Counted::default();
    let cluster = Cluster::start_with(NODES, |config| config.stores(Arc::new(stores.clone()))).await;
    let pictures = &cluster.sharded::<Picture>("picture").await[0];
    let picture = pictures.entity("mona lisa");
    picture.paint(7).await.unwrap();
    cluster.quiet().await;
    let before = stores.bytes();
    assert!(before > NODES * PICTURE_BYTES, "{before} bytes were logged for the picture");
    for look in 1..=LOOKS {
        assert_eq!(picture.look().await.unwrap(), look as u64);
    }
    cluster.quiet().await;
    let logged = (stores.bytes() - before) / (LOOKS * NODES);
    println!("{logged} bytes a write");
    assert!(logged < LOGGED_BYTES_MAX, "{logged} bytes a write");
    assert_eq!(picture.size().await.unwrap(), PICTURE_BYTES);
}
