//! A leader's end of a session: appends go out, replies come in.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use openraft::errors::RPCError;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};

use super::acks::Acks;
use super::mesh::Mesh;
use super::network::unreachable;
use super::peer::{IN_FLIGHT_MAX, Peer, Reply};
use super::types::{AppendRequest, AppendResult, TypeConfig};
use super::wire::Frame;
use crate::base::{GroupId, NodeKey};

/// A session without a reply for so long, while one is owed, has failed.
const STALL_MAX: Duration = Duration::from_secs(5);

/// Whom a session connects.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) mesh: Arc<Mesh>,
    pub(super) to: NodeKey,
    pub(super) group: GroupId,
    pub(super) heartbeat: bool,
}

/// A stream of replies, which sends its input when it is polled.
///
/// At most [`IN_FLIGHT_MAX`] appends wait for replies. An append that only tells of a commit is held back for a
/// moment, and left out if the next append comes within it and tells of the commit as well.
pub(super) struct Session<S> {
    route: Route,
    id: u64,
    peer: Arc<Peer>,
    input: S,
    input_ended: bool,
    replies: mpsc::Receiver<Reply>,
    sent: u64,
    answered: u64,
    acks: Acks,
    held: Option<(u64, AppendRequest)>,
    release: Pin<Box<Sleep>>,
    progress: Instant,
    stall: Pin<Box<Sleep>>,
    ended: bool,
}

impl<S> Session<S> {
    /// A session to a peer; `None` when it is not connected.
    pub(super) fn open(route: Route, input: S) -> Option<Self> {
        let (id, peer) = (route.mesh.next_id(), route.mesh.peer(route.to));
        let (answer, replies) = mpsc::channel(IN_FLIGHT_MAX);
        peer.open().sessions.insert(id, answer);
        let session = Self {
            id,
            peer,
            input,
            input_ended: false,
            replies,
            sent: 0,
            answered: 0,
            acks: Acks::default(),
            held: None,
            release: Box::pin(sleep(Duration::ZERO)),
            progress: Instant::now(),
            stall: Box::pin(sleep(STALL_MAX)),
            ended: false,
            route,
        };
        // Looked at only now: a connection that breaks from here on finds the session and fails it.
        session.route.mesh.is_up(session.route.to).then_some(session)
    }

    fn send(&mut self, serial: u64, request: AppendRequest) -> Result<(), &'static str> {
        let (session, number) = (self.id, self.sent);
        let frame = match self.route.heartbeat {
            true => Frame::Heartbeat { session, request },
            false => Frame::Append { session, number, request },
        };
        if !self.route.mesh.send(self.route.to, self.route.group, frame) {
            return Err("the peer is not connected, or its lane is full");
        }
        if self.sent == self.answered {
            self.progress = Instant::now();
        }
        self.sent += 1;
        self.acks.sent(serial);
        Ok(())
    }

    fn send_held(&mut self) -> Result<(), &'static str> {
        match self.held.take() {
            Some((serial, request)) => self.send(serial, request),
            None => Ok(()),
        }
    }

    fn fail(&mut self, why: &'static str) -> Poll<Option<Result<AppendResult, RPCError<TypeConfig>>>> {
        self.ended = true;
        Poll::Ready(Some(Err(unreachable(self.route.to, why))))
    }

    /// The follower answers nothing although it should.
    fn stalled(&mut self, cx: &mut Context<'_>) -> bool {
        while self.stall.as_mut().poll(cx).is_ready() {
            let waited = self.progress.elapsed();
            if self.sent > self.answered && waited >= STALL_MAX {
                return true;
            }
            let rest = if self.sent > self.answered { STALL_MAX - waited } else { STALL_MAX };
            self.stall.as_mut().reset(Instant::now() + rest);
        }
        false
    }
}

impl<S: Stream<Item = AppendRequest> + Unpin> Session<S> {
    /// Sends what there is to send.
    fn take_input(&mut self, cx: &mut Context<'_>) -> Result<(), &'static str> {
        while !self.input_ended && self.sent - self.answered < IN_FLIGHT_MAX as u64 {
            match self.input.poll_next_unpin(cx) {
                Poll::Ready(Some(request)) => {
                    let serial = self.acks.made(request.entries.is_empty().then_some(request.prev_log_id));
                    // The first append opens the session and may be a probe; a heartbeat is urgent by nature.
                    if request.entries.is_empty() && self.sent > 0 && !self.route.heartbeat {
                        if self.held.is_none() {
                            self.release.as_mut().reset(Instant::now() + self.route.mesh.settings.hold);
                        }
                        self.held = Some((serial, request));
                    } else {
                        self.held = None;
                        self.send(serial, request)?;
                    }
                }
                Poll::Ready(None) => self.input_ended = true,
                Poll::Pending => break,
            }
        }
        if self.held.is_some() && (self.input_ended || self.release.as_mut().poll(cx).is_ready()) {
            self.send_held()?;
        }
        Ok(())
    }
}

impl<S: Stream<Item = AppendRequest> + Unpin> Stream for Session<S> {
    type Item = Result<AppendResult, RPCError<TypeConfig>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let session = &mut *self;
        if session.ended {
            return Poll::Ready(None);
        }
        loop {
            if let Err(why) = session.take_input(cx) {
                return session.fail(why);
            }
            match session.replies.poll_recv(cx) {
                Poll::Ready(Some((number, result))) if number == session.answered => {
                    session.answered += 1;
                    session.progress = Instant::now();
                    let Ok(matching) = result else {
                        session.ended = true;
                        return Poll::Ready(Some(Ok(result)));
                    };
                    if session.acks.acknowledge(matching) {
                        return Poll::Ready(Some(Ok(result)));
                    }
                    // The follower's word on this waits for its reply to what is held, so hold it no longer.
                    if let Err(why) = session.send_held() {
                        return session.fail(why);
                    }
                }
                Poll::Ready(Some(_)) => return session.fail("a reply of the peer was lost"),
                Poll::Ready(None) => return session.fail("the connection broke, or the peer does not serve the group"),
                Poll::Pending => break,
            }
        }
        if session.input_ended && session.answered == session.sent {
            session.ended = true;
            return Poll::Ready(None);
        }
        if session.stalled(cx) {
            return session.fail("the peer does not reply");
        }
        Poll::Pending
    }
}

impl<S> Drop for Session<S> {
    fn drop(&mut self) {
        self.peer.open().sessions.remove(&self.id);
        if self.sent > 0 && !self.route.heartbeat {
            self.route.mesh.send(self.route.to, self.route.group, Frame::End { session: self.id });
        }
    }
}
