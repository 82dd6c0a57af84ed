//! Why the SRV records of a name lead to no node.

use crate::base::BoxError;

/// The SRV records of a name lead to no node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SrvError {
    /// It is not known which name servers there are.
    #[error(
        "whom to ask for the SRV records of `{name}`: {source}; is there an /etc/resolv.conf? `name_servers(..)` does without"
    )]
    NoServers {
        /// The name whose records were to be asked for.
        name: String,
        /// What the system says.
        source: BoxError,
    },
    /// The name has no SRV records.
    #[error(
        "`{name}` has no SRV records: is the name right, and does any node listen? Kubernetes makes them for the named ports \
         of headless services, `_port._tcp.service.namespace.svc.cluster.local`"
    )]
    NoRecords {
        /// The name that was asked for.
        name: String,
    },
    /// No name server has answered, or not with records.
    #[error("the SRV records of `{name}` cannot be had: {source}")]
    Unanswered {
        /// The name that was asked for.
        name: String,
        /// What went wrong.
        source: BoxError,
    },
    /// There are records, and no target of theirs has an address.
    #[error("`{name}` has SRV records for {targets} targets, and none of them has an address; the last: {source}")]
    NoAddresses {
        /// The name that was asked for.
        name: String,
        /// How many targets its records name.
        targets: usize,
        /// What went wrong with the last of them.
        source: BoxError,
    },
}
