//! A connection on which frames can be made to wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use casty::cluster::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::gate::Gate;
use super::pace::Pace;

/// As much may wait for the real connection before the writer has to wait; what a gate holds does not count.
const PASSED_BYTES_MAX: usize = 1 << 20;

/// Bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// The dialler's end of a connection whose frames pass a gate in each direction.
pub(super) struct FaultStream {
    inner: Box<dyn Stream>,
    there: Way,
    back: Way,
}

/// One direction.
pub(super) struct Way {
    gate: Arc<Gate>,
    /// How often the gate had broken connections when this one began.
    breaks: u64,
    pace: Pace,
    frames: Frames,
}

impl Way {
    pub(super) fn new(gate: Arc<Gate>, pace: Pace) -> Self {
        Self { breaks: gate.breaks(), gate, pace, frames: Frames::default() }
    }

    /// Ends the connection if it was broken.
    fn check(&self) -> io::Result<()> {
        self.gate.check(self.breaks)
    }
}

impl FaultStream {
    pub(super) fn new(inner: Box<dyn Stream>, there: Way, back: Way) -> Self {
        Self { inner, there, back }
    }

    fn check(&self) -> io::Result<()> {
        self.there.check().and_then(|()| self.back.check())
    }

    /// Ready when all that passed has been written.
    fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Way { frames: Frames { passed, .. }, pace, .. } = &mut self.there;
        while !passed.is_empty() {
            let allowed = ready!(pace.poll(passed.len(), cx));
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &passed[..allowed]))?;
            pace.sent(written);
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            passed.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl Stream for FaultStream {}

impl AsyncWrite for FaultStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        me.check()?;
        if me.there.frames.passed.len() > PASSED_BYTES_MAX {
            ready!(me.poll_passed(cx))?;
        }
        me.there.frames.take(bytes);
        me.there.frames.sort(&me.there.gate);
        if let Poll::Ready(Err(error)) = me.poll_passed(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.there.frames.sort(&me.there.gate);
        ready!(me.poll_passed(cx))?;
        Pin::new(&mut me.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        ready!(me.poll_passed(cx))?;
        Pin::new(&mut me.inner).poll_shutdown(cx)
    }
}

impl AsyncRead for FaultStream {
    /// Across a cut nothing is read, not even the end of the connection.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let open = me.back.gate.poll_open(cx);
        // A connection may be broken in either direction.
        let _ = me.there.gate.poll_open(cx);
        me.check()?;
        ready!(open);
        let Way { gate, pace, frames, .. } = &mut me.back;
        loop {
            frames.sort(gate);
            let passed = &mut frames.passed;
            if !passed.is_empty() {
                let count = ready!(pace.poll(passed.len().min(into.remaining()), cx));
                into.put_slice(&passed[..count]);
                passed.drain(..count);
                pace.sent(count);
                return Poll::Ready(Ok(()));
            }
            let mut room = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut room);
            ready!(Pin::new(&mut me.inner).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            frames.take(read.filled());
        }
    }
}
