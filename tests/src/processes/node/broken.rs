//! A system whose disks are broken, as this process sees it.

use std::collections::BTreeMap;

use casty::base::BoxError;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};

/// The system calls that sync, by their numbers.
const SYNCS: [i64; 2] = [libc::SYS_fsync, libc::SYS_fdatasync];

/// Has every sync of this process fail with an I/O error from now on: the system refuses it, whatever the file.
pub(super) fn fail_syncs() -> Result<(), BoxError> {
    let rules: BTreeMap<_, _> = SYNCS.into_iter().map(|call| (call, Vec::new())).collect();
    let error = SeccompAction::Errno(libc::EIO as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, error, std::env::consts::ARCH.try_into()?)?;
    apply_filter_all_threads(&BpfProgram::try_from(filter)?)?;
    Ok(())
}
