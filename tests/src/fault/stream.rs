//! A connection on which frames can be made to wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use casty::cluster::{Kind, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::gate::Gate;
use super::pace::Pace;

/// A frame begins with its length (u32, little-endian), which counts the kind (u8) and the body behind it.
const LENGTH_BYTES: usize = 4;

/// As much may wait for the real connection before the writer has to wait; what a gate holds does not count.
const PASSED_BYTES_MAX: usize = 1 << 20;

/// A connection whose frames pass a gate. What may not pass waits, and goes first when it may.
pub(super) struct FaultStream {
    inner: Box<dyn Stream>,
    gate: Arc<Gate>,
    /// How often the gate had broken connections when this one began.
    breaks: u64,
    /// The beginning of a frame that is not whole.
    unfinished: Vec<u8>,
    held: Vec<(Kind, Vec<u8>)>,
    passed: Vec<u8>,
    pace: Pace,
}

impl FaultStream {
    pub(super) fn new(inner: Box<dyn Stream>, gate: Arc<Gate>, pace: Pace) -> Self {
        let breaks = gate.breaks();
        Self { inner, gate, breaks, unfinished: Vec::new(), held: Vec::new(), passed: Vec::new(), pace }
    }

    /// Cuts what was written into frames, and lets pass what may.
    fn sort(&mut self) {
        while let Some(length) = self.unfinished.first_chunk::<LENGTH_BYTES>() {
            let end = LENGTH_BYTES + u32::from_le_bytes(*length) as usize;
            if self.unfinished.len() < end.max(LENGTH_BYTES + 1) {
                break;
            }
            let rest = self.unfinished.split_off(end);
            let frame = std::mem::replace(&mut self.unfinished, rest);
            self.held.push((Kind(frame[LENGTH_BYTES]), frame));
        }
        let Self { held, passed, gate, .. } = self;
        held.retain(|(kind, frame)| {
            let passes = gate.passes(*kind);
            if passes {
                passed.extend_from_slice(frame);
            }
            !passes
        });
    }

    /// Ready when all that passed has been written.
    fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.passed.is_empty() {
            let allowed = ready!(self.pace.poll(self.passed.len(), cx));
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.passed[..allowed]))?;
            self.pace.sent(written);
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.passed.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FaultStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        me.gate.check(me.breaks)?;
        if me.passed.len() > PASSED_BYTES_MAX {
            ready!(me.poll_passed(cx))?;
        }
        me.unfinished.extend_from_slice(bytes);
        me.sort();
        if let Poll::Ready(Err(error)) = me.poll_passed(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.sort();
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
        let open = me.gate.poll_open(cx);
        me.gate.check(me.breaks)?;
        ready!(open);
        Pin::new(&mut me.inner).poll_read(cx, into)
    }
}
