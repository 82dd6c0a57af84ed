//! Nodes that a DNS name has SRV records for (RFC 2782).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData};
use tokio::time::timeout;

use super::{Discovery, SrvError};
use crate::base::BoxError;
use crate::cluster::limits::DISCOVERED_MAX;

/// How long one question to a name server may take. It is asked once more, and all of it fits the time of a [`Discovery`].
const QUESTION_MAX: Duration = Duration::from_millis(750);

/// How long the addresses of one target may take.
const TARGET_MAX: Duration = Duration::from_secs(1);

/// Targets whose addresses are asked for at one time.
const TARGETS_AT_ONCE: usize = 16;

/// The targets of the SRV records of a DNS name, each with its own port: what a headless service of Kubernetes gives for a port
/// that has a name, or Consul for a service.
///
/// Every address of every target is a node. Priorities and weights say how clients spread their load and mean nothing here. A
/// target without an address is passed over; where none has any, the answer is a [`SrvError`]. Whether an answer is good for
/// longer is not heeded: the name servers are asked each time.
///
/// With TLS the certificates must be for these addresses, or for a name that [`Tls::server_name`](crate::Tls::server_name)
/// fixes.
///
/// ```
/// use casty::ClusterConfig;
/// use casty::cluster::SrvDiscovery;
///
/// let config = ClusterConfig::new("0.0.0.0:8001")
///     .advertise("10.1.2.3:8001")
///     .discovery(SrvDiscovery::new("_casty._tcp.casty.default.svc.cluster.local"));
///
/// // Consul answers on a port of its own.
/// let consul = SrvDiscovery::new("casty.service.consul.").name_servers(["127.0.0.1:8600".parse()?]);
/// # Ok::<_, std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SrvDiscovery {
    name: String,
    servers: Vec<SocketAddr>,
}

impl SrvDiscovery {
    /// The targets of `name`, of which the system's name servers are asked. A name that does not end with a dot is looked for
    /// in the system's search domains too.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), servers: Vec::new() }
    }

    /// Asks these name servers, over UDP and for long answers over TCP, in place of those of the system.
    #[must_use]
    pub fn name_servers(mut self, servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.servers = servers.into_iter().collect();
        self
    }

    async fn find(&self) -> Result<BTreeSet<SocketAddr>, SrvError> {
        let name = || self.name.clone();
        let resolver = self.resolver().map_err(|error| SrvError::NoServers { name: name(), source: error.into() })?;
        let records =
            resolver.srv_lookup(self.name.as_str()).await.map_err(|error| match error.is_no_records_found() {
                true => SrvError::NoRecords { name: name() },
                false => SrvError::Unanswered { name: name(), source: error.into() },
            })?;
        let targets = records.answers().iter().filter_map(|record| match &record.data {
            // The root as the only target says that there is none.
            RData::SRV(srv) if !srv.target.is_root() => Some((srv.target.clone(), srv.port)),
            _ => None,
        });
        let targets: BTreeSet<_> = targets.take(DISCOVERED_MAX).collect();
        let count = targets.len();
        let asked = targets.into_iter().map(|target| addresses(&resolver, target));
        let mut asked = stream::iter(asked).buffer_unordered(TARGETS_AT_ONCE);
        let (mut found, mut failed) = (BTreeSet::new(), None);
        while let Some(addresses) = asked.next().await {
            match addresses {
                Ok(addresses) => found.extend(addresses),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            _ if count == 0 => Err(SrvError::NoRecords { name: name() }),
            Some(source) if found.is_empty() => Err(SrvError::NoAddresses { name: name(), targets: count, source }),
            _ => Ok(found),
        }
    }

    /// The system's settings are read anew each time, as the system's own resolver does.
    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = self.servers.iter().copied().map(server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        (options.timeout, options.attempts) = (QUESTION_MAX, 1);
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.cache_size = 0;
        builder.build()
    }
}

impl Discovery for SrvDiscovery {
    fn addresses(&self) -> BoxFuture<'_, Result<Vec<String>, BoxError>> {
        async { Ok(self.find().await?.into_iter().map(|addr| addr.to_string()).collect()) }.boxed()
    }
}

/// The addresses of one target.
async fn addresses(resolver: &TokioResolver, (target, port): (Name, u16)) -> Result<Vec<SocketAddr>, BoxError> {
    let found = match timeout(TARGET_MAX, resolver.lookup_ip(target.clone())).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(passed_over(&target, error)),
        Err(error) => return Err(passed_over(&target, error)),
    };
    Ok(found.iter().map(|ip| SocketAddr::new(ip, port)).collect())
}

fn passed_over(target: &Name, error: impl Into<BoxError>) -> BoxError {
    let error = error.into();
    tracing::debug!(%target, error, "a target of SRV records has no address, and is passed over");
    error
}

fn server(addr: SocketAddr) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = addr.port();
        connection
    };
    NameServerConfig::new(addr.ip(), true, vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())])
}
