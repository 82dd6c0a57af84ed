//! What waits to be written on one link.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::cluster::SendFailure;
use crate::cluster::limits::{BULK_BATCH_BYTES, BULK_BYTES_MAX, CONTROL_BYTES_MAX, SPARE_BYTES_MAX};
use crate::wire::{FRAME_BYTES_MAX, Kind, append};

/// Which frames wait for which. Frames of one lane keep their order; control overtakes bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Small frames that must not wait: consensus, gossip.
    Control,
    /// Everything else.
    Bulk,
}

/// The outgoing frames of one link, encoded. Senders append to it, the link's writer takes what is there.
pub(crate) struct Outbox {
    bounds: Bounds,
    queue: Mutex<Queue>,
    filled: Notify,
    /// Bulk frames were taken, or the outbox is sealed.
    emptied: Notify,
}

/// How much an outbox holds, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) frame: usize,
    pub(crate) control: usize,
    pub(crate) bulk: usize,
}

/// What the writer writes at once: all control frames and then some bulk frames, all of them whole.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) control: Vec<u8>,
    pub(crate) bulk: Vec<u8>,
}

#[derive(Default)]
struct Queue {
    control: Vec<u8>,
    /// Bulk frames in parts that are written at once; the last part is still open.
    parts: VecDeque<Vec<u8>>,
    open: Vec<u8>,
    bulk_bytes: usize,
    sealed: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { frame: FRAME_BYTES_MAX, control: CONTROL_BYTES_MAX, bulk: BULK_BYTES_MAX }
    }
}

impl Outbox {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, queue: Mutex::default(), filled: Notify::new(), emptied: Notify::new() }
    }

    /// Appends a frame whose body `encode` appends. On a failure nothing is queued.
    pub(crate) fn push(&self, lane: Lane, kind: Kind, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), SendFailure> {
        let mut queue = self.lock();
        if queue.sealed {
            return Err(SendFailure::NotConnected);
        }
        let was_empty = queue.is_empty();
        let (queued, max) = match lane {
            Lane::Control => (queue.control.len(), self.bounds.control),
            Lane::Bulk => (queue.bulk_bytes, self.bounds.bulk),
        };
        let full = SendFailure::Full { lane, queued, max };
        if queued >= max {
            return Err(full);
        }
        let into = match lane {
            Lane::Control => &mut queue.control,
            Lane::Bulk => &mut queue.open,
        };
        let begin = into.len();
        let added = append(into, kind, self.bounds.frame, encode)
            .map_err(|too_large| SendFailure::TooLarge { bytes: too_large.bytes, max: too_large.max })?;
        if queued > 0 && queued + added > max {
            into.truncate(begin);
            return Err(full);
        }
        if lane == Lane::Bulk {
            queue.bulk_bytes += added;
            if queue.open.len() >= BULK_BATCH_BYTES {
                let part = mem::take(&mut queue.open);
                queue.parts.push_back(part);
            }
        }
        drop(queue);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for frames and puts them into `batch` in place of what is there. `false` means that the outbox is sealed
    /// and empty. Dropping the future loses nothing.
    pub(crate) async fn next(&self, batch: &mut Batch) -> bool {
        loop {
            if let Some(more) = self.take(batch) {
                return more;
            }
            self.filled.notified().await;
        }
    }

    /// Takes no more frames; what is queued is still written.
    pub(crate) fn seal(&self) {
        self.lock().sealed = true;
        self.filled.notify_one();
        self.emptied.notify_waiters();
    }

    /// Waits until the bulk lane is half empty, or sealed.
    pub(crate) async fn room(&self) {
        loop {
            let emptied = self.emptied.notified();
            {
                let queue = self.lock();
                if queue.sealed || queue.bulk_bytes <= self.bounds.bulk / 2 {
                    return;
                }
            }
            emptied.await;
        }
    }

    fn take(&self, batch: &mut Batch) -> Option<bool> {
        batch.clear();
        let mut queue = self.lock();
        if queue.is_empty() {
            return queue.sealed.then_some(false);
        }
        mem::swap(&mut queue.control, &mut batch.control);
        match queue.parts.pop_front() {
            Some(part) => batch.bulk = part,
            None => mem::swap(&mut queue.open, &mut batch.bulk),
        }
        let before = queue.bulk_bytes;
        queue.bulk_bytes -= batch.bulk.len();
        let half = self.bounds.bulk / 2;
        let crossed = before > half && queue.bulk_bytes <= half;
        drop(queue);
        if crossed {
            self.emptied.notify_waiters();
        }
        Some(true)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // An encoder that unwinds leaves the queue as it was, so a poisoned lock guards a good queue.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.control.is_empty() && self.bulk_bytes == 0
    }
}

impl Batch {
    fn clear(&mut self) {
        for buffer in [&mut self.control, &mut self.bulk] {
            buffer.clear();
            if buffer.capacity() > SPARE_BYTES_MAX {
                *buffer = Vec::new();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn push(outbox: &Outbox, lane: Lane, bytes: usize) -> Result<(), SendFailure> {
        outbox.push(lane, Kind::RAFT, |out| out.resize(out.len() + bytes, 7))
    }

    fn next(outbox: &Outbox) -> Option<(usize, usize)> {
        let mut batch = Batch::default();
        outbox.next(&mut batch).now_or_never().map(|_| (batch.control.len(), batch.bulk.len()))
    }

    #[test]
    fn control_overtakes_bulk_and_bulk_leaves_in_whole_frames() {
        let outbox = Outbox::new(Bounds::default());
        for _ in 0..10 {
            push(&outbox, Lane::Bulk, 100 << 10).unwrap();
        }
        push(&outbox, Lane::Control, 10).unwrap();
        let frame = (100 << 10) + 5;
        assert_eq!(next(&outbox), Some((15, 3 * frame)));
        push(&outbox, Lane::Control, 20).unwrap();
        assert_eq!(next(&outbox), Some((25, 3 * frame)));
        assert_eq!(next(&outbox), Some((0, 3 * frame)));
        assert_eq!(next(&outbox), Some((0, frame)));
        assert_eq!(next(&outbox), None);
    }

    #[test]
    fn a_full_lane_takes_nothing_and_the_other_is_not_touched() {
        let outbox = Outbox::new(Bounds { frame: 1_000, control: 100, bulk: 200 });
        push(&outbox, Lane::Bulk, 100).unwrap();
        let full = push(&outbox, Lane::Bulk, 100).unwrap_err();
        assert_eq!(full, SendFailure::Full { lane: Lane::Bulk, queued: 105, max: 200 });
        push(&outbox, Lane::Control, 90).unwrap();
        assert!(matches!(push(&outbox, Lane::Control, 90), Err(SendFailure::Full { lane: Lane::Control, .. })));
        assert_eq!(next(&outbox), Some((95, 105)));
        push(&outbox, Lane::Bulk, 100).unwrap();
    }

    #[test]
    fn an_empty_lane_takes_the_largest_frame_and_none_takes_a_larger() {
        let outbox = Outbox::new(Bounds { frame: 1_000, control: 100, bulk: 200 });
        push(&outbox, Lane::Bulk, 1_000).unwrap();
        assert!(matches!(push(&outbox, Lane::Bulk, 1), Err(SendFailure::Full { .. })));
        let too_large = push(&outbox, Lane::Control, 1_001).unwrap_err();
        assert_eq!(too_large, SendFailure::TooLarge { bytes: 1_001, max: 1_000 });
        assert_eq!(next(&outbox), Some((0, 1_005)));
        assert_eq!(next(&outbox), None);
    }

    #[test]
    fn there_is_room_again_when_half_of_the_bulk_lane_is_taken() {
        let outbox = Outbox::new(Bounds { frame: 1_000, control: 100, bulk: 200 });
        assert!(outbox.room().now_or_never().is_some());
        push(&outbox, Lane::Bulk, 195).unwrap();
        let mut room = Box::pin(outbox.room());
        assert!(room.as_mut().now_or_never().is_none());
        assert_eq!(next(&outbox), Some((0, 200)));
        assert!(room.now_or_never().is_some());
        push(&outbox, Lane::Bulk, 195).unwrap();
        let mut room = Box::pin(outbox.room());
        assert!(room.as_mut().now_or_never().is_none());
        outbox.seal();
        assert!(room.now_or_never().is_some());
    }

    #[test]
    fn a_sealed_outbox_gives_what_it_has_and_takes_no_more() {
        let outbox = Outbox::new(Bounds::default());
        push(&outbox, Lane::Bulk, 1).unwrap();
        outbox.seal();
        assert_eq!(push(&outbox, Lane::Bulk, 1), Err(SendFailure::NotConnected));
        let mut batch = Batch::default();
        assert_eq!(outbox.next(&mut batch).now_or_never(), Some(true));
        assert_eq!(outbox.next(&mut batch).now_or_never(), Some(false));
    }
}
