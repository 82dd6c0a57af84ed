//! What a client is told before it connects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::cluster::{Discovery, Net, Secret, TcpNet, Tls, check_trust};
use crate::node::ConfigError;

/// The settings of a [`Client`](super::Client).
///
/// ```
/// use casty::{ClientConfig, Tls};
///
/// let config = ClientConfig::new(["10.0.0.1:8001", "10.0.0.2:8001"]).tls(Tls::from_pem("ca.pem", "edge.pem", "edge.key"));
/// ```
#[derive(Clone)]
pub struct ClientConfig {
    pub(super) seeds: Vec<String>,
    pub(super) discovery: Option<Arc<dyn Discovery>>,
    pub(super) name: String,
    pub(super) tls: Option<Tls>,
    pub(super) secret: Option<Secret>,
    pub(super) connect_timeout: Duration,
    pub(super) ask_timeout: Duration,
    pub(super) window: usize,
    pub(super) seed: Option<u64>,
    /// Nothing comes from the system: not the challenges, and not the number of the client's life.
    pub(super) replayable: bool,
    pub(super) net: Arc<dyn Net>,
}

impl ClientConfig {
    /// A client that finds the cluster at these addresses. One that answers is enough: of the others it hears then.
    pub fn new<S: Into<String>>(seeds: impl IntoIterator<Item = S>) -> Self {
        Self {
            seeds: seeds.into_iter().map(Into::into).collect(),
            discovery: None,
            name: "casty".to_owned(),
            tls: None,
            secret: None,
            connect_timeout: Duration::from_secs(10),
            ask_timeout: Duration::from_secs(5),
            window: 2048,
            seed: None,
            replayable: false,
            net: Arc::new(TcpNet),
        }
    }

    /// Where the cluster is found beside the seeds.
    pub fn discovery(mut self, discovery: impl Discovery) -> Self {
        self.discovery = Some(Arc::new(discovery));
        self
    }

    /// The name of the cluster. Default: `casty`.
    pub fn cluster_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// How the connection is encrypted, and how the client shows that it may call the cluster: as on the nodes,
    /// [`ClusterConfig::tls`](crate::ClusterConfig::tls). A client needs this, or a [`secret`](Self::secret), or both.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The secret that the nodes know: [`ClusterConfig::secret`](crate::ClusterConfig::secret).
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(Secret::new(secret));
        self
    }

    /// How long [`Client::connect`](super::Client::connect) tries. Default: 10 s. A client that was connected once tries for
    /// ever when it loses its node.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The deadline of an ask or a look-up that names none. Default: 5 s.
    pub fn ask_timeout(mut self, timeout: Duration) -> Self {
        self.ask_timeout = timeout;
        self
    }

    /// How many requests to one group of entities may be under way; further ones wait. Default: 2,048.
    pub fn window(mut self, requests: usize) -> Self {
        self.window = requests;
        self
    }

    /// Where the client's randomness (which node it tries first, jitter) begins; drawn from the system where it is not given.
    pub fn rng_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// All that is random or new follows from this seed, so that a run can be replayed.
    #[cfg(feature = "sim")]
    pub(crate) fn replayable(mut self, seed: u64) -> Self {
        (self.seed, self.replayable) = (Some(seed), true);
        self
    }

    /// The network: TCP, unless a test hands in another.
    pub fn net(mut self, net: Arc<dyn Net>) -> Self {
        self.net = net;
        self
    }

    /// Finds settings that contradict each other.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let bad = |setting, why: String| Err(ConfigError { setting, why });
        if self.seeds.is_empty() && self.discovery.is_none() {
            return bad("seeds", "a client needs the address of a node, or a discovery".to_owned());
        }
        if self.window < crate::node::WINDOW_MIN {
            return bad("window", format!("{} is too small: {} or more", self.window, crate::node::WINDOW_MIN));
        }
        if let Err(error) = check_trust(self.tls.as_ref(), self.secret.as_ref()) {
            return bad(if self.secret.is_some() { "secret" } else { "tls" }, error.to_string());
        }
        Ok(())
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("seeds", &self.seeds)
            .field("cluster_name", &self.name)
            .field("tls", &self.tls)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_cannot_be_is_named() {
        let config = || ClientConfig::new(["127.0.0.1:1"]).tls(Tls::insecure());
        let fault = |config: ClientConfig| config.check().unwrap_err().setting;
        assert_eq!(config().check(), Ok(()));
        assert_eq!(fault(ClientConfig::new(Vec::<String>::new()).tls(Tls::insecure())), "seeds");
        assert_eq!(fault(ClientConfig::new(["127.0.0.1:1"])), "tls");
        assert_eq!(fault(config().secret("short")), "secret");
        assert_eq!(fault(config().window(0)), "window");
    }
}
