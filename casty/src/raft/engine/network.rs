//! The consensus library's network, over the links of the host.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, future};
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::storage::Snapshot;
use openraft::{OptionalSend, alias};

use super::machine::SnapshotData;
use super::mesh::Mesh;
use super::session::{Route, Session};
use super::types::{AppendRequest, AppendResult, EngineVote, TypeConfig};
use super::wire::{Request, Response};
use crate::base::{GroupId, NodeKey};

/// Makes the connections of one group.
pub(super) struct Network {
    pub(super) mesh: Arc<Mesh>,
    pub(super) group: GroupId,
}

impl Network {
    fn client(&self, to: u64, heartbeat: bool) -> Client {
        Client { route: Route { mesh: self.mesh.clone(), to: NodeKey(to), group: self.group, heartbeat } }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Client;

    async fn new_client(&mut self, to: u64, _: &()) -> Client {
        self.client(to, false)
    }

    async fn new_heartbeat_client(&mut self, to: u64, _: &()) -> Client {
        self.client(to, true)
    }
}

/// One group's way to one peer.
pub(super) struct Client {
    route: Route,
}

impl Client {
    async fn ask(&self, request: Request, option: &RPCOption) -> Result<Response, RPCError<TypeConfig>> {
        let Route { mesh, to, group, .. } = &self.route;
        mesh.ask(*to, *group, request, option.hard_ttl()).await.map_err(|why| unreachable(*to, why))
    }

    fn beside_the_point<T>(&self) -> Result<T, RPCError<TypeConfig>> {
        Err(unreachable(self.route.to, "the peer answered another question"))
    }
}

impl RaftNetworkV2<TypeConfig> for Client {
    type SnapshotData = SnapshotData;

    async fn append_entries(
        &mut self,
        _: AppendRequest,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        // Everything goes through `stream_append`, heartbeats as well.
        Err(unreachable(self.route.to, "appends are sent in sessions only"))
    }

    fn stream_append<'s, S>(
        &'s mut self,
        mut input: S,
        _: RPCOption,
    ) -> BoxFuture<'s, Result<BoxStream<'s, Result<AppendResult, RPCError<TypeConfig>>>, RPCError<TypeConfig>>>
    where
        S: Stream<Item = AppendRequest> + OptionalSend + Unpin + 'static,
    {
        let route = self.route.clone();
        Box::pin(async move {
            let to = route.to;
            if !route.mesh.is_up(to) {
                // The library waits between attempts in its input stream. An error before it was polled would be
                // followed by the next attempt at once, without end.
                input.next().await;
                return Err(unreachable(to, "the peer is not connected"));
            }
            match Session::open(route, input) {
                Some(session) => {
                    let replies: BoxStream<'s, _> = Box::pin(session);
                    Ok(replies)
                }
                None => Err(unreachable(to, "the peer is not connected any more")),
            }
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(Request::Vote(request), &option).await? {
            Response::Vote(response) => Ok(response),
            _ => self.beside_the_point(),
        }
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(Request::PreVote(request), &option).await? {
            Response::Vote(response) => Ok(response),
            _ => self.beside_the_point(),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(Request::Transfer(request), &option).await? {
            Response::Transfer(response) => Ok(response),
            _ => self.beside_the_point(),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: EngineVote,
        snapshot: Snapshot<alias::CommittedLeaderIdOf<TypeConfig>, u64, (), SnapshotData>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let Route { mesh, to, group, .. } = &self.route;
        let failed = |why: &str| StreamingError::Unreachable(Unreachable::from_string(format!("{to}: {why}")));
        // Before the state is read, which may take a while.
        if !mesh.is_up(*to) {
            return Err(failed("the peer is not connected"));
        }
        let SnapshotData::Here(replica) = snapshot.snapshot else {
            return Err(failed("a received snapshot cannot be passed on"));
        };
        let least = snapshot.meta.last_log_id;
        let transfer = async { mesh.send_snapshot(*to, *group, vote, least, &replica).await.map_err(failed) };
        match future::select(Box::pin(transfer), Box::pin(cancel)).await {
            future::Either::Left((result, _)) => result,
            future::Either::Right((closed, _)) => Err(StreamingError::Closed(closed)),
        }
    }
}

pub(super) fn unreachable(to: NodeKey, why: &str) -> RPCError<TypeConfig> {
    RPCError::Unreachable(Unreachable::from_string(format!("{to}: {why}")))
}
