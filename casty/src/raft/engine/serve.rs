//! The receiving side: what a host does with the frames of its peers.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use tokio::sync::mpsc;

use super::mesh::{Member, Mesh};
use super::peer::{IN_FLIGHT_MAX, SERVED_MAX, Served};
use super::types::AppendRequest;
use super::wire::{Envelope, Frame, Request, Response};
use crate::base::{GroupId, NodeKey};

impl Mesh {
    pub(super) fn serve(self: &Arc<Self>, from: NodeKey, Envelope { group, frame }: Envelope) {
        match frame {
            Frame::Append { session, number, request } => {
                if !self.append(from, group, session, number, request) {
                    self.peer(from).open().served.remove(&session);
                    self.send(from, group, Frame::Gone { session });
                }
            }
            Frame::Heartbeat { session, request } => self.heartbeat(from, group, session, request),
            Frame::End { session } => drop(self.peer(from).open().served.remove(&session)),
            Frame::Appended { session, number, result } => {
                let peer = self.peer(from);
                let mut open = peer.open();
                // Full is impossible: the session has sent at most as many appends as the queue holds.
                let taken =
                    open.sessions.get(&session).is_none_or(|replies| replies.try_send((number, result)).is_ok());
                if !taken {
                    open.sessions.remove(&session);
                }
            }
            Frame::Gone { session } => drop(self.peer(from).open().sessions.remove(&session)),
            Frame::Ask { id, request } => self.answer(from, group, id, request),
            Frame::Answer { id, response } => {
                if let Some(asked) = self.peer(from).open().asks.remove(&id) {
                    // Who asked may have given up.
                    let _ = asked.send(response);
                }
            }
        }
    }

    /// Passes an append to its session, and opens it with the first one. `false`: there is no such session.
    fn append(
        self: &Arc<Self>,
        from: NodeKey,
        group: GroupId,
        session: u64,
        number: u64,
        request: AppendRequest,
    ) -> bool {
        let Some((member, runtime)) = self.member(group).zip(self.runtime()) else { return false };
        let peer = self.peer(from);
        let mut open = peer.open();
        if number == 0 {
            if open.served.len() >= SERVED_MAX {
                return false;
            }
            let (input, appends) = mpsc::channel(IN_FLIGHT_MAX);
            open.served.insert(session, Served { group, next: 0, input });
            runtime.spawn(self.clone().follow(from, group, session, member, appends));
        }
        match open.served.get_mut(&session) {
            Some(served) if served.next == number && served.group == group => {
                served.next += 1;
                // Full: the peer sends more than it may. Closed: the session ended with an error that was told.
                served.input.try_send(request).is_ok()
            }
            _ => false,
        }
    }

    /// Serves one session until its leader ends it or an append is refused.
    async fn follow(
        self: Arc<Self>,
        from: NodeKey,
        group: GroupId,
        session: u64,
        member: Member,
        mut appends: mpsc::Receiver<AppendRequest>,
    ) {
        let core = &member.core;
        let mut replies = Box::pin(core.raft.stream_append(poll_fn(move |cx| appends.poll_recv(cx))));
        let mut number = 0;
        while let Some(Some(Ok(result))) = core.unless_closed(replies.next()).await {
            if !self.send(from, group, Frame::Appended { session, number, result }) {
                break;
            }
            number += 1;
        }
        // After a refusal the leader has ended the session, too, and does not miss it. In all other cases it must know.
        if self.peer(from).open().served.remove(&session).is_some() {
            self.send(from, group, Frame::Gone { session });
        }
    }

    fn heartbeat(self: &Arc<Self>, from: NodeKey, group: GroupId, session: u64, request: AppendRequest) {
        let permit = self.requests.clone().try_acquire_owned().ok();
        let Some(((member, runtime), permit)) = self.member(group).zip(self.runtime()).zip(permit) else {
            self.send(from, group, Frame::Gone { session });
            return;
        };
        let mesh = self.clone();
        runtime.spawn(async move {
            let previous = request.prev_log_id;
            let last = request.entries.last().map(|entry| entry.log_id).or(previous);
            let core = &member.core;
            let frame = match core.unless_closed(core.raft.append_entries(request)).await {
                Some(Ok(response)) if response.is_conflict() && previous.is_none() => Frame::Gone { session },
                Some(Ok(response)) => {
                    let result = response.into_stream_result(previous, last);
                    Frame::Appended { session, number: 0, result }
                }
                Some(Err(_)) | None => Frame::Gone { session },
            };
            mesh.send(from, group, frame);
            drop(permit);
        });
    }

    fn answer(self: &Arc<Self>, from: NodeKey, group: GroupId, id: u64, request: Request) {
        let permit = self.requests.clone().try_acquire_owned().ok();
        let Some(((member, runtime), permit)) = self.member(group).zip(self.runtime()).zip(permit) else {
            self.send(from, group, Frame::Answer { id, response: Response::Refused });
            return;
        };
        let mesh = self.clone();
        runtime.spawn(async move {
            let response = member.core.unless_closed(mesh.respond(from, group, &member, request)).await;
            let response = response.flatten().unwrap_or(Response::Refused);
            mesh.send(from, group, Frame::Answer { id, response });
            drop(permit);
        });
    }

    async fn respond(&self, from: NodeKey, group: GroupId, member: &Member, request: Request) -> Option<Response> {
        let raft = &member.core.raft;
        match request {
            Request::Vote(request) | Request::PreVote(request) if !member.may_vote(request.last_log_id.as_ref()) => {
                None
            }
            Request::Vote(request) => raft.vote(request).await.map(Response::Vote).ok(),
            Request::PreVote(request) => raft.pre_vote(request).await.map(Response::Vote).ok(),
            Request::Transfer(request) => raft.handle_transfer_leader(request).await.map(Response::Transfer).ok(),
            Request::Chunk(chunk) => self.assemble(from, group, member, chunk).await,
        }
    }
}
