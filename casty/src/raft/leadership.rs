//! When a node may say that it leads.

use std::time::Duration;

use tokio::sync::watch;

use super::engine::Engine;
use super::{Leadership, RaftSettings};

/// Publishes the leadership of one group until the group stops.
///
/// A new leader confirms itself by a read index, which also waits until its first entry is applied and with it all
/// that was committed before. From then on its quorum's acknowledgements keep it alive; when they fail to come it
/// withdraws, and has to confirm itself again.
pub(super) async fn publish(engine: Engine, settings: RaftSettings, said: watch::Sender<Leadership>) {
    let mut pulse = engine.pulse();
    loop {
        let view = pulse.view();
        let Some(leader) = view.leads.then_some(view.leader).flatten() else {
            say(&said, Leadership { leader: view.leader, ours: None });
            if !pulse.changed().await {
                break;
            }
            continue;
        };
        let confirmed = if said.borrow().ours == Some(leader) {
            engine.quorum_age().is_some_and(|age| age <= settings.quorum_patience())
        } else {
            say(&said, Leadership { leader: Some(leader), ours: None });
            engine.confirm(leader, settings.quorum_patience()).await
        };
        if pulse.view() != view {
            continue;
        }
        say(&said, Leadership { leader: Some(leader), ours: confirmed.then_some(leader) });
        if !pulse.changed_within(recheck(&settings)).await {
            break;
        }
    }
    engine.close();
    say(&said, Leadership::default());
}

/// The age of a quorum's acknowledgement is looked at this often.
fn recheck(settings: &RaftSettings) -> Duration {
    settings.heartbeat.max(Duration::from_millis(1))
}

fn say(said: &watch::Sender<Leadership>, now: Leadership) {
    said.send_if_modified(|before| {
        let changed = *before != now;
        *before = now;
        changed
    });
}
