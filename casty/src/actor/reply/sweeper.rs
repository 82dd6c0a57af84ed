//! Ends asks whose time is over. One task a system looks at every slot each 10 ms while any ask waits: that costs an ask
//! nothing, where a timer of its own would cost it more than the rest of the work.
//!
//! An ask states how long it may take. The first pass that sees it settles when it ends, counted from that pass: an ask
//! never ends early, and at most one interval and the granularity of the timer late.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

use crate::actor::cycles::Waits;

/// How long a new ask may go unseen.
const INTERVAL: Duration = Duration::from_millis(10);
/// After this many passes that saw nobody wait, the task ends. The next ask that waits starts it again.
const IDLE_PASSES: u32 = 50;
/// Marks a duration; without it, a [`Due`] is a point in the sweeper's time.
const UNSETTLED: u64 = 1 << 63;

/// When an ask ends, in milliseconds: for how long it may take, or, once settled, when. 0: nobody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due(pub(super) u64);

impl Due {
    /// `time` after the first pass that sees it.
    #[inline]
    pub(crate) fn after(time: Duration) -> Self {
        let ms =
            time.as_secs().saturating_mul(1_000).saturating_add(u64::from(time.subsec_nanos().div_ceil(1_000_000)));
        Self(ms.clamp(1, UNSETTLED >> 1) | UNSETTLED)
    }
}

/// What a sweeper looks after.
pub(super) trait Timed: Send + Sync {
    /// Its [`Due`].
    fn due(&self) -> &AtomicU64;
    /// The same, in an order with what the asker does under the slot's lock.
    fn due_in_order(&self) -> u64;
    /// Tells the asker, if it still waits for what was due then.
    fn expire(&self, due: Due);
}

/// The deadlines of one system's asks. It runs on the runtime of the system, so each runtime has its own.
pub(crate) struct Sweeper {
    id: u64,
    epoch: Mutex<Option<Instant>>,
    runtime: Mutex<Option<Handle>>,
    /// Every slot made for this sweeper, in use or pooled. A slot that is gone leaves with the next pass.
    slots: Mutex<Vec<Weak<dyn Timed>>>,
    awake: AtomicBool,
    /// Who waits for whom in these asks. `None`: nobody wants to know.
    waits: Option<Waits>,
}

impl Sweeper {
    pub(crate) fn new(waits: Option<Waits>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            epoch: Mutex::new(None),
            runtime: Mutex::new(None),
            slots: Mutex::new(Vec::new()),
            awake: AtomicBool::new(false),
            waits,
        })
    }

    #[inline]
    pub(super) fn waits(&self) -> Option<&Waits> {
        self.waits.as_ref()
    }

    /// Tells slots of different systems apart.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Where the task runs from its next start on.
    pub(crate) fn run_on(&self, handle: &Handle) {
        let mut runtime = self.runtime.lock();
        if runtime.as_ref().is_none_or(|old| old.id() != handle.id()) {
            *runtime = Some(handle.clone());
        }
    }

    pub(super) fn watch(&self, slot: Weak<dyn Timed>) {
        self.slots.lock().push(slot);
    }

    /// Called by whoever waits, after it let go of its slot's lock.
    #[inline]
    pub(super) fn ensure_awake(self: &Arc<Self>) {
        if !self.awake.load(Ordering::Relaxed) {
            self.wake_up();
        }
    }

    /// The point in time that `due` means; exact to one interval if it is not settled.
    pub(super) fn instant(&self, due: Due) -> Option<Instant> {
        let ms = Duration::from_millis(due.0 & !UNSETTLED);
        match due.0 {
            0 => None,
            due if due & UNSETTLED != 0 => Instant::now().checked_add(ms),
            _ => self.epoch().checked_add(ms),
        }
    }

    #[cold]
    fn wake_up(self: &Arc<Self>) {
        let Some(handle) = self.runtime.lock().clone().or_else(|| Handle::try_current().ok()) else { return };
        if !self.awake.swap(true, Ordering::AcqRel) {
            let asleep = Asleep { sweeper: Arc::clone(self), runtime: handle.id(), done: false };
            handle.spawn(sweep(asleep));
        }
    }

    fn epoch(&self) -> Instant {
        *self.epoch.lock().get_or_insert_with(Instant::now)
    }

    /// One look at every slot. Says whether anybody waits, and in how many milliseconds the next ask ends.
    fn pass(&self) -> Pass {
        let epoch = self.epoch();
        let mut pass = Pass { epoch, now: elapsed_ms(epoch), waiting: false, next: u64::MAX };
        // Taken out: nobody who needs a new slot waits for the pass.
        let mut slots = std::mem::take(&mut *self.slots.lock());
        slots.retain(|slot| {
            slot.upgrade().is_some_and(|slot| {
                pass.look(&*slot);
                true
            })
        });
        let mut kept = self.slots.lock();
        slots.append(&mut kept);
        *kept = slots;
        pass
    }

    /// Whether anybody waits, in an order with [`ensure_awake`](Self::ensure_awake).
    fn anybody_waits(&self) -> bool {
        let slots: Vec<_> = self.slots.lock().iter().filter_map(Weak::upgrade).collect();
        slots.iter().any(|slot| slot.due_in_order() != 0)
    }
}

struct Pass {
    epoch: Instant,
    /// When the pass began.
    now: u64,
    waiting: bool,
    /// Milliseconds until the next ask ends.
    next: u64,
}

impl Pass {
    fn look(&mut self, slot: &dyn Timed) {
        let mut due = slot.due().load(Ordering::Relaxed);
        if due == 0 {
            return;
        }
        self.waiting = true;
        if due & UNSETTLED != 0 {
            // From now on, not from when the pass began: it may be long, and the ask younger. One more, since the clock
            // is rounded down.
            let settled = elapsed_ms(self.epoch) + 1 + (due & !UNSETTLED);
            let exchange = slot.due().compare_exchange(due, settled, Ordering::Relaxed, Ordering::Relaxed);
            if exchange.is_err() {
                // Answered meanwhile, and perhaps asked anew: the next pass sees it.
                return;
            }
            due = settled;
        }
        if due <= self.now {
            slot.expire(Due(due));
        } else {
            self.next = self.next.min(due - self.now);
        }
    }
}

fn elapsed_ms(epoch: Instant) -> u64 {
    u64::try_from(Instant::now().saturating_duration_since(epoch).as_millis()).unwrap_or(UNSETTLED >> 2)
}

async fn sweep(mut asleep: Asleep) {
    let mut idle_passes = 0;
    loop {
        let sweeper = &asleep.sweeper;
        let pass = sweeper.pass();
        idle_passes = if pass.waiting { 0 } else { idle_passes + 1 };
        if idle_passes >= IDLE_PASSES {
            sweeper.awake.store(false, Ordering::Release);
            if !sweeper.anybody_waits() || sweeper.awake.swap(true, Ordering::AcqRel) {
                // Nobody waits, or somebody who does started another task.
                asleep.done = true;
                return;
            }
        }
        tokio::time::sleep(INTERVAL.min(Duration::from_millis(pass.next))).await;
    }
}

/// Runs when the runtime drops the task.
struct Asleep {
    sweeper: Arc<Sweeper>,
    runtime: Id,
    /// The task ended by itself.
    done: bool,
}

impl Drop for Asleep {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.sweeper.awake.store(false, Ordering::Release);
        // This runtime is ending; the system may have moved on to another.
        let moved = self.sweeper.runtime.lock().as_ref().is_some_and(|handle| handle.id() != self.runtime);
        if moved && self.sweeper.anybody_waits() {
            self.sweeper.wake_up();
        }
    }
}
