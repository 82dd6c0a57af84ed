//! What a node does when it is told.

use std::sync::{Arc, OnceLock};

use casty::base::{BoxError, GroupId};
use casty::prelude::*;
use tokio::task::AbortHandle;

use super::broken::fail_syncs;
use super::load::Load;
use super::probe::Probe;
use super::{Answer, Options, Order, Status};
use crate::bank::{Account, Deposit, GetBalance};

/// Where orders are carried out.
pub(super) struct Desk {
    node: Arc<Node>,
    probe: Arc<Probe>,
    echoes: AbortHandle,
    options: Options,
    types: OnceLock<Types>,
}

/// What can be called once the entity types are started.
struct Types {
    accounts: Sharded<Account>,
    load: Load,
}

impl Desk {
    pub(super) async fn open(options: &Options, node: Arc<Node>) -> Result<Arc<Self>, BoxError> {
        let probe = Probe::bind(&options.address).await?;
        let server = probe.clone();
        let echoes = tokio::spawn(async move {
            if let Err(error) = server.serve().await {
                tracing::error!(%error, "the node echoes no more");
            }
        });
        Ok(Arc::new(Self {
            node,
            probe,
            echoes: echoes.abort_handle(),
            options: options.clone(),
            types: OnceLock::new(),
        }))
    }

    /// Starts the entity types.
    pub(super) async fn declare(&self) -> Result<(), BoxError> {
        let accounts = self.node.sharded::<Account>("account").start().await?;
        let load = Load::prepare(&self.options, &self.node).await?;
        // It is done once.
        let _ = self.types.set(Types { accounts, load });
        Ok(())
    }

    /// Carries out an order.
    pub(super) async fn do_it(&self, order: Order) -> Result<Answer, BoxError> {
        Ok(match order {
            Order::Status => Answer::Status(self.status()),
            Order::Deposit { account, amount } => {
                Answer::Balance(self.types()?.accounts.entity(account).deposit(Deposit { amount }).await?)
            }
            Order::Balance { account } => {
                Answer::Balance(self.types()?.accounts.entity(account).balance(GetBalance).await?)
            }
            Order::Ping { to } => Answer::Echo { us: self.probe.ping(to).await?.map(|took| took.as_micros() as u64) },
            Order::Heard { from } => Answer::Heard(self.probe.heard(from)),
            Order::Begin { clients } => {
                self.types()?.load.begin(clients).await;
                Answer::Done
            }
            Order::Finish => Answer::Finished(self.types()?.load.finish().await),
            Order::LastLook => Answer::Silent(self.types()?.load.last_look().await),
            Order::FailSyncs => {
                fail_syncs()?;
                Answer::Done
            }
            Order::Leave => {
                self.node.leave().await?;
                Answer::Done
            }
            Order::Stop => Answer::Done,
        })
    }

    fn types(&self) -> Result<&Types, BoxError> {
        self.types.get().ok_or_else(|| "the node is not ready yet: wait for `Ready`".into())
    }

    fn status(&self) -> Status {
        let name = |id: casty::NodeId| id.as_str().to_owned();
        let data = self.node.leaders().into_iter().map(|(_, leader)| leader);
        let leaders = [self.node.leader_id()].into_iter().chain(data).map(|leader| leader.map(name)).collect();
        let members = self.node.members().into_iter().map(|member| name(member.id)).collect();
        let placements = self.node.placements();
        let data = placements.iter().filter(|at| at.group != GroupId::META);
        Status {
            members,
            leaders,
            replicas: self.node.groups().len(),
            settled: !placements.is_empty() && placements.iter().all(|at| at.settled),
            fewest: data.map(|at| at.replicas.len()).min().unwrap_or(0),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.echoes.abort();
    }
}
