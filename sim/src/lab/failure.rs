//! Why there is no lab, or no host in it.

use nix::errno::Errno;

use super::LabError;

/// Why a lab, or a host of it, cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LabFailure {
    /// The lab.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// Nothing can be waited for.
    #[error("cannot wait for hosts with epoll: {0}; raise the limit of open files with ulimit -n")]
    Wait(Errno),
    /// A host.
    #[error("host `{name}`: {source}")]
    Host {
        /// Its name.
        name: String,
        /// Why not.
        source: LabError,
    },
}
