//! What the program of a node says of an entity type.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::acknowledge::Acknowledge;

/// How long an entity may have nothing to do before it leaves memory, where a program says nothing else.
const PASSIVATE_AFTER: Duration = Duration::from_secs(120);

/// What this node's program says of one entity type. It may change while entities run.
#[derive(Clone, Debug)]
pub(crate) struct TypeSettings(Arc<Values>);

#[derive(Debug)]
struct Values {
    at_once: AtomicBool,
    passivate_after_ms: AtomicU64,
}

/// What a program says when it starts a type; the rest stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// When requests are answered.
    pub(crate) acknowledge: Option<Acknowledge>,
    /// How long an entity may have nothing to do before it leaves memory.
    pub(crate) passivate_after: Option<Duration>,
}

impl TypeSettings {
    pub(crate) fn new(acknowledge: Acknowledge) -> Self {
        let settings =
            Self(Arc::new(Values { at_once: AtomicBool::new(false), passivate_after_ms: AtomicU64::new(0) }));
        settings.say(Said { acknowledge: Some(acknowledge), passivate_after: Some(PASSIVATE_AFTER) });
        settings
    }

    /// Takes in what a program says.
    pub(crate) fn say(&self, said: Said) {
        if let Some(acknowledge) = said.acknowledge {
            self.0.at_once.store(acknowledge == Acknowledge::Leader, Ordering::Relaxed);
        }
        if let Some(after) = said.passivate_after {
            self.0.passivate_after_ms.store(u64::try_from(after.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Whether answers do not wait for the quorum.
    pub(crate) fn at_once(&self) -> bool {
        self.0.at_once.load(Ordering::Relaxed)
    }

    /// How long an entity may have nothing to do before it leaves memory.
    pub(crate) fn passivate_after(&self) -> Duration {
        match self.0.passivate_after_ms.load(Ordering::Relaxed) {
            u64::MAX => Duration::MAX,
            after => Duration::from_millis(after),
        }
    }
}
