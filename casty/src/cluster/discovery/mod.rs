//! Where nodes of the cluster may be found: a list, DNS, or whatever a program knows.

#[cfg(feature = "dns-srv")]
mod error;
#[cfg(feature = "dns-srv")]
#[cfg(test)]
mod name_server;
#[cfg(feature = "dns-srv")]
mod srv;

#[cfg(feature = "dns-srv")]
pub use self::error::SrvError;
#[cfg(feature = "dns-srv")]
#[cfg(test)]
pub(super) use self::name_server::NameServer;
#[cfg(feature = "dns-srv")]
pub use self::srv::SrvDiscovery;

use std::collections::BTreeSet;
use std::fmt;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::net::lookup_host;

use crate::base::BoxError;

/// Where nodes of the cluster may be found.
///
/// A node asks for ever: every 5 s, and faster, with backoff, while it has no link or the answer is an error or empty. It says
/// hello at each address of the last answer, its own may be among them; an address that is missing from an answer is given up,
/// and the links that came of it stay. For entries of a registry, of a cloud's interface, or of a file.
///
/// ```
/// use casty::BoxError;
/// use casty::cluster::Discovery;
/// use futures_util::future::BoxFuture;
///
/// #[derive(Debug)]
/// struct Registry(std::path::PathBuf);
///
/// impl Discovery for Registry {
///     fn addresses(&self) -> BoxFuture<'_, Result<Vec<String>, BoxError>> {
///         Box::pin(async {
///             let lines = tokio::task::spawn_blocking({
///                 let path = self.0.clone();
///                 move || std::fs::read_to_string(path)
///             });
///             Ok(lines.await??.lines().map(str::to_owned).collect())
///         })
///     }
/// }
/// ```
pub trait Discovery: fmt::Debug + Send + Sync + 'static {
    /// The addresses, `host:port`, at which nodes may be now. An answer that takes longer than a handshake may (3 s) is an
    /// error; of more than 256 addresses, 256 are asked.
    fn addresses(&self) -> BoxFuture<'_, Result<Vec<String>, BoxError>>;
}

/// The same addresses each time.
impl Discovery for Vec<String> {
    fn addresses(&self) -> BoxFuture<'_, Result<Vec<String>, BoxError>> {
        async { Ok(self.clone()) }.boxed()
    }
}

/// Every address of a DNS name (A and AAAA records), with one port: what a headless service of Kubernetes gives. Where nodes have
/// ports of their own, `SrvDiscovery` (feature `dns-srv`) asks for SRV records.
///
/// With TLS the certificates must be for these addresses, or for a name that [`Tls::server_name`](super::Tls::server_name)
/// fixes.
#[derive(Clone, Debug)]
pub struct DnsDiscovery {
    host: String,
    port: u16,
}

impl DnsDiscovery {
    /// All addresses of `host`, on each of which a node listens on `port`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl Discovery for DnsDiscovery {
    fn addresses(&self) -> BoxFuture<'_, Result<Vec<String>, BoxError>> {
        async {
            let found: BTreeSet<_> = lookup_host((self.host.as_str(), self.port)).await?.collect();
            Ok(found.into_iter().map(|addr| addr.to_string()).collect())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_gives_each_of_its_addresses_once() {
        let found = DnsDiscovery::new("localhost", 8001).addresses().await.unwrap();
        assert!(found.contains(&"127.0.0.1:8001".to_owned()) || found.contains(&"[::1]:8001".to_owned()), "{found:?}");
        let once: BTreeSet<_> = found.iter().collect();
        assert_eq!(once.len(), found.len());
    }

    #[tokio::test]
    async fn a_name_that_is_none_is_an_error() {
        assert!(DnsDiscovery::new("no such host", 1).addresses().await.is_err());
    }
}
