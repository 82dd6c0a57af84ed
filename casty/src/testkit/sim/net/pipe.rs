//! One direction of a connection.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::ReadBuf;

use super::links::Host;

/// Bytes that may be on their way, or wait to be read: the buffers of both ends.
const WINDOW_BYTES: usize = 256 << 10;

/// One direction of a connection.
pub(super) struct Pipe {
    pub(super) from: Host,
    pub(super) to: Host,
    flying: VecDeque<(Duration, Flight)>,
    arrived: VecDeque<u8>,
    /// Bytes that were written and not read.
    unread: usize,
    /// The end of the stream has left.
    ending: bool,
    /// The end of the stream has arrived.
    ended: bool,
    /// The connection is broken, as the end that it concerns has learned.
    broken: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What is on its way.
pub(super) enum Flight {
    Bytes(Vec<u8>),
    /// No more bytes come.
    End,
}

impl Pipe {
    pub(super) fn new(from: Host, to: Host) -> Self {
        Self {
            from,
            to,
            flying: VecDeque::new(),
            arrived: VecDeque::new(),
            unread: 0,
            ending: false,
            ended: false,
            broken: false,
            reader: None,
            writer: None,
        }
    }

    /// Takes bytes, which arrive at `due` if nothing holds them up. In order: not before those that were taken earlier.
    pub(super) fn poll_write(&mut self, cx: &Context<'_>, bytes: &[u8], due: Duration) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = WINDOW_BYTES - self.unread.min(WINDOW_BYTES);
        if room == 0 {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = &bytes[..bytes.len().min(room)];
        self.unread += taken.len();
        self.launch(Flight::Bytes(taken.to_vec()), due);
        Poll::Ready(Ok(taken.len()))
    }

    /// Says that no more bytes come.
    pub(super) fn end(&mut self, due: Duration) {
        self.ending = true;
        self.launch(Flight::End, due);
    }

    /// Whether [`end`](Self::end) was called.
    pub(super) fn is_ending(&self) -> bool {
        self.ending
    }

    pub(super) fn poll_read(&mut self, cx: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.arrived.is_empty() {
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (front, back) = self.arrived.as_slices();
        let part = if front.is_empty() { back } else { front };
        let count = part.len().min(into.remaining());
        into.put_slice(&part[..count]);
        self.arrived.drain(..count);
        self.unread -= count;
        wake(&mut self.writer);
        Poll::Ready(Ok(()))
    }

    /// What has come to its end by `now`.
    pub(super) fn land(&mut self, now: Duration) -> Option<Flight> {
        self.flying.pop_front_if(|(due, _)| *due <= now).map(|(_, flight)| flight)
    }

    /// Hands what has come to the reader.
    pub(super) fn arrive(&mut self, flight: Flight) {
        match flight {
            Flight::Bytes(bytes) => self.arrived.extend(bytes),
            Flight::End => self.ended = true,
        }
        wake(&mut self.reader);
    }

    /// Whether anything is on its way.
    pub(super) fn is_flying(&self) -> bool {
        !self.flying.is_empty()
    }

    /// Both its reader and its writer learn that the connection is broken.
    pub(super) fn break_off(&mut self) {
        self.broken = true;
        self.flying.clear();
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    fn launch(&mut self, flight: Flight, due: Duration) {
        let due = self.flying.back().map_or(due, |(last, _)| due.max(*last));
        self.flying.push_back((due, flight));
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
