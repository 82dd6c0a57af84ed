//! An election as soon as the connection to a leader breaks.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::engine::Engine;
use super::{Links, RaftSettings};
use crate::base::NodeKey;

/// Elections tried after one broken connection; from then on the ordinary election timer does it.
const TRIES: u32 = 4;
/// Candidates of one group start apart from each other by a random part of this.
const STAGGER: Duration = Duration::from_millis(50);
/// Until this long after the lease a vote may still meet a voter that has not noticed.
const MARGIN: Duration = Duration::from_millis(10);

/// Stands for election when the lease of the leader `gone` has run out, if nobody has taken over and `gone` has not
/// come back by then. A pre-vote guards it: a group whose other members still hear from their leader refuses.
pub(super) async fn succeed(engine: Engine, gone: NodeKey, settings: RaftSettings, links: &dyn Links, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut pause = settings.election_max + MARGIN;
    for _ in 0..TRIES {
        tokio::time::sleep(pause + STAGGER.mul_f64(rng.random())).await;
        let view = engine.pulse().view();
        let without_leader = view.leader.is_none_or(|leader| leader.node == gone);
        if !without_leader || links.is_up(gone) || !engine.elect().await {
            return;
        }
        pause = STAGGER;
    }
}
