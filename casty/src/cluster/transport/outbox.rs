//! What waits to be written on one lane of a link.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::task::{Context, Poll, Waker};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::cluster::SendFailure;
use crate::cluster::limits::{BATCH_BYTES, BULK_BYTES_MAX, CONTROL_BYTES_MAX, SPARE_BYTES_MAX};
use crate::wire::{FRAME_BYTES_MAX, HEAD_BYTES, Kind, append, shrink};

/// Which frames wait for which. Frames of one lane keep their order; the lanes know nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Small frames that must not wait: consensus, gossip.
    Control,
    /// Everything else.
    Bulk,
}

/// The outgoing frames of one lane, encoded. Senders append to it, the lane's writer takes what is there.
pub(crate) struct Outbox {
    lane: Lane,
    bounds: Bounds,
    /// Frames of more than so many bytes are compressed.
    compress_above: Option<usize>,
    queue: Mutex<Queue>,
    /// Frames were taken, or the outbox is sealed.
    emptied: Notify,
}

/// How much an outbox holds, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// The body of one frame.
    pub(crate) frame: usize,
    /// All frames that wait.
    pub(crate) all: usize,
}

#[derive(Default)]
struct Queue {
    /// Whole frames in parts that are written at once; the last part is still open.
    parts: VecDeque<Vec<u8>>,
    open: Vec<u8>,
    bytes: usize,
    /// There is room for whoever was refused when no more bytes than these wait.
    room_at: usize,
    sealed: bool,
    /// The lane's writer, while it waits for frames.
    writer: Option<Waker>,
}

impl Lane {
    /// How much may wait for one peer on this lane.
    pub(crate) fn bounds(self) -> Bounds {
        match self {
            Self::Control => Bounds { frame: FRAME_BYTES_MAX, all: CONTROL_BYTES_MAX },
            Self::Bulk => Bounds { frame: FRAME_BYTES_MAX, all: BULK_BYTES_MAX },
        }
    }
}

impl Outbox {
    pub(crate) fn new(lane: Lane, bounds: Bounds) -> Self {
        let queue = Mutex::new(Queue { room_at: bounds.all / 2, ..Queue::default() });
        Self { lane, bounds, compress_above: None, queue, emptied: Notify::new() }
    }

    /// The same, with frames of more than `bytes` compressed.
    pub(crate) fn compressing_above(self, bytes: Option<usize>) -> Self {
        Self { compress_above: bytes, ..self }
    }

    /// Appends a frame whose body `encode` appends. On a failure nothing is queued.
    pub(crate) fn push(&self, kind: Kind, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), SendFailure> {
        let mut queue = self.lock();
        if queue.sealed {
            return Err(SendFailure::NotConnected);
        }
        let (queued, max) = (queue.bytes, self.bounds.all);
        let full = SendFailure::Full { lane: self.lane, queued, max };
        if queued >= max {
            return Err(full);
        }
        let begin = queue.open.len();
        let added = append(&mut queue.open, kind, self.bounds.frame, encode)
            .map_err(|too_large| SendFailure::TooLarge { bytes: too_large.bytes, max: too_large.max })?;
        let added = self.compress(&mut queue.open, begin, kind).unwrap_or(added);
        if queued > 0 && queued + added > max {
            queue.open.truncate(begin);
            queue.room_at = queue.room_at.min(max.saturating_sub(added));
            return Err(full);
        }
        queue.bytes += added;
        if queue.open.len() >= BATCH_BYTES {
            let part = mem::take(&mut queue.open);
            queue.parts.push_back(part);
        }
        let writer = queue.writer.take();
        drop(queue);
        if let Some(writer) = writer {
            writer.wake();
        }
        Ok(())
    }

    /// Puts a smaller frame in the place of the one that begins at `begin` and ends `out`, if it is large and becomes smaller.
    /// Returns the length of it.
    fn compress(&self, out: &mut Vec<u8>, begin: usize, kind: Kind) -> Option<usize> {
        let body = out.get(begin + HEAD_BYTES..)?;
        let above = self.compress_above?;
        if body.len() <= above {
            return None;
        }
        let shrunk = shrink(kind, body)?;
        out.truncate(begin);
        // It is smaller than a frame that was allowed, so it is never too large.
        append(out, Kind::COMPRESSED, self.bounds.frame, |out| out.extend_from_slice(&shrunk)).ok()
    }

    /// Waits for frames, or until it is sealed.
    pub(crate) async fn filled(&self) {
        poll_fn(|cx| self.poll_filled(cx)).await;
    }

    /// Puts some of the frames, whole, into `batch` in place of what is there. `false` means that there are none.
    pub(crate) fn take(&self, batch: &mut Vec<u8>) -> bool {
        batch.clear();
        if batch.capacity() > SPARE_BYTES_MAX {
            *batch = Vec::new();
        }
        let mut queue = self.lock();
        if queue.bytes == 0 {
            return false;
        }
        match queue.parts.pop_front() {
            Some(part) => *batch = part,
            None => mem::swap(&mut queue.open, batch),
        }
        let (before, room_at) = (queue.bytes, queue.room_at);
        queue.bytes -= batch.len();
        let crossed = before > room_at && queue.bytes <= room_at;
        if queue.bytes == 0 {
            queue.room_at = self.bounds.all / 2;
        }
        drop(queue);
        if crossed {
            self.emptied.notify_waiters();
        }
        true
    }

    /// Which lane it is of.
    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    /// How much waits, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Takes no more frames; what is queued is still written.
    pub(crate) fn seal(&self) {
        let writer = {
            let mut queue = self.lock();
            queue.sealed = true;
            queue.writer.take()
        };
        if let Some(writer) = writer {
            writer.wake();
        }
        self.emptied.notify_waiters();
    }

    /// Waits until it is half empty, or has room for the largest frame that was refused since it was empty; or is sealed.
    pub(crate) async fn room(&self) {
        loop {
            let emptied = self.emptied.notified();
            {
                let queue = self.lock();
                if queue.sealed || queue.bytes <= queue.room_at {
                    return;
                }
            }
            emptied.await;
        }
    }

    fn poll_filled(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.lock();
        if queue.bytes > 0 || queue.sealed {
            return Poll::Ready(());
        }
        match &mut queue.writer {
            Some(writer) => writer.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // An encoder may unwind under it, which leaves the queue as it was.
        self.queue.lock()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn outbox(bounds: Bounds) -> Outbox {
        Outbox::new(Lane::Bulk, bounds)
    }

    fn push(outbox: &Outbox, bytes: usize) -> Result<(), SendFailure> {
        outbox.push(Kind::RAFT, |out| out.resize(out.len() + bytes, 7))
    }

    fn next(outbox: &Outbox) -> Option<usize> {
        let mut batch = Vec::new();
        outbox.take(&mut batch).then_some(batch.len())
    }

    #[test]
    fn frames_leave_whole_and_some_at_a_time() {
        let outbox = outbox(Lane::Bulk.bounds());
        for _ in 0..10 {
            push(&outbox, 100 << 10).unwrap();
        }
        let frame = (100 << 10) + 5;
        assert_eq!(
            [(); 5].map(|()| next(&outbox)),
            [Some(3 * frame), Some(3 * frame), Some(3 * frame), Some(frame), None]
        );
    }

    #[test]
    fn a_full_lane_takes_nothing_until_it_has_drained() {
        let outbox = outbox(Bounds { frame: 1_000, all: 200 });
        push(&outbox, 100).unwrap();
        let full = push(&outbox, 100).unwrap_err();
        assert_eq!(full, SendFailure::Full { lane: Lane::Bulk, queued: 105, max: 200 });
        push(&outbox, 90).unwrap();
        assert_eq!(next(&outbox), Some(200));
        push(&outbox, 100).unwrap();
    }

    #[test]
    fn an_empty_lane_takes_the_largest_frame_and_none_takes_a_larger() {
        let outbox = outbox(Bounds { frame: 1_000, all: 200 });
        push(&outbox, 1_000).unwrap();
        assert!(matches!(push(&outbox, 1), Err(SendFailure::Full { .. })));
        assert_eq!(next(&outbox), Some(1_005));
        assert_eq!(push(&outbox, 1_001).unwrap_err(), SendFailure::TooLarge { bytes: 1_001, max: 1_000 });
        assert_eq!(next(&outbox), None);
    }

    #[test]
    fn there_is_room_again_when_half_of_the_lane_is_taken() {
        let outbox = outbox(Bounds { frame: 1_000, all: 200 });
        assert!(outbox.room().now_or_never().is_some());
        push(&outbox, 195).unwrap();
        let mut room = Box::pin(outbox.room());
        assert!(room.as_mut().now_or_never().is_none());
        assert_eq!(next(&outbox), Some(200));
        assert!(room.now_or_never().is_some());
        push(&outbox, 195).unwrap();
        let mut room = Box::pin(outbox.room());
        assert!(room.as_mut().now_or_never().is_none());
        outbox.seal();
        assert!(room.now_or_never().is_some());
    }

    #[test]
    fn there_is_room_for_a_large_frame_that_was_refused_when_it_fits() {
        let outbox = outbox(Bounds { frame: 1_000, all: 200 });
        push(&outbox, 20).unwrap();
        assert!(matches!(push(&outbox, 190), Err(SendFailure::Full { .. })));
        let mut room = Box::pin(outbox.room());
        assert!(room.as_mut().now_or_never().is_none(), "it would be refused again");
        assert_eq!(next(&outbox), Some(25));
        assert!(room.now_or_never().is_some());
        push(&outbox, 190).unwrap();
        assert_eq!(next(&outbox), Some(195));
        push(&outbox, 20).unwrap();
        assert!(outbox.room().now_or_never().is_some(), "what was refused before an empty lane is forgotten");
    }

    #[test]
    fn a_sealed_outbox_gives_what_it_has_and_takes_no_more() {
        let outbox = outbox(Lane::Bulk.bounds());
        push(&outbox, 1).unwrap();
        outbox.seal();
        assert_eq!(push(&outbox, 1), Err(SendFailure::NotConnected));
        let mut batch = Vec::new();
        assert!(outbox.take(&mut batch));
        assert!(outbox.filled().now_or_never().is_some() && !outbox.take(&mut batch));
    }
}
