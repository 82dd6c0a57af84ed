//! What can go wrong with a node's file.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::NodeId;

/// The store of a node could not be opened, or failed. What was acknowledged before is in the file.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the folder open. Nothing was touched.
    #[error("{} is in use by {}; stop it, or give this node a folder of its own", .folder.display(), process(.holder))]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// The process that has it open, if it could be read who that is.
        holder: Option<u32>,
    },
    /// The file belongs to another node. Nothing was touched.
    #[error(
        "{} belongs to the node {stored}, and this node is {given}; give each node a folder of its own, or this one \
             its name back",
        .file.display()
    )]
    OtherNode {
        /// The file.
        file: PathBuf,
        /// The node that wrote it.
        stored: NodeId,
        /// The node that opened it.
        given: NodeId,
    },
    /// The file belongs to a node of another cluster. Nothing was touched.
    #[error(
        "{} belongs to the cluster {stored:?}, and this node to {given:?}; give it a folder of its own, or the \
             cluster its name back",
        .file.display()
    )]
    OtherCluster {
        /// The file.
        file: PathBuf,
        /// The name of the cluster in the file.
        stored: String,
        /// The name of the cluster that this node is to belong to.
        given: String,
    },
    /// Another release of casty wrote the file in a way that this one does not read. Nothing was touched.
    #[error(
        "{} has the format {stored}, and this release reads {known}; open it with the release that wrote it",
        .file.display()
    )]
    Format {
        /// The file.
        file: PathBuf,
        /// The format of the file.
        stored: u32,
        /// The format of this release.
        known: u32,
    },
    /// The file is damaged, or something else altogether.
    #[error(
        "{} is damaged: {why}; move its folder away and start the node as a new one, to which the others send what \
             it had, or put back a copy that no node has run on since",
        .file.display()
    )]
    Corrupted {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing to look into, or to recover from. Nothing was touched.
    #[error("{} has no file of a node in it; give the `data_dir` of a node, or a backup of one", .path.display())]
    Missing {
        /// The folder that has none, or the file that is not there.
        path: PathBuf,
    },
    /// The file could not be read or written. When it was a write, nothing more is written before it is opened anew.
    #[error("{} cannot be used: {why}; mend the disk or make room on it, then start the node again", .file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        #[source]
        why: Arc<io::Error>,
    },
}

impl StoreError {
    /// Whether all that is missing is room on the disk.
    pub(super) fn is_full(&self) -> bool {
        let full = |why: &io::Error| matches!(why.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        matches!(self, Self::Io { why, .. } if full(why))
    }

    /// Whether a read has failed because of a write that did, and works when the file was opened anew.
    pub(super) fn passes(&self) -> bool {
        self.is_full() || matches!(self, Self::Io { why, .. } if why.kind() == io::ErrorKind::ResourceBusy)
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        Self::other(error)
    }
}

fn process(holder: &Option<u32>) -> String {
    match *holder {
        Some(pid) if pid == std::process::id() => format!("this very process, {pid}"),
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}
