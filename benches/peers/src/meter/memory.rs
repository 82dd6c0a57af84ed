//! Memory of the process.

use std::{fs, io};

/// The bytes of this process that are in memory. Linux only.
pub fn resident_bytes() -> io::Result<f64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("unknown format of statm"))?;
    Ok(pages * rustix::param::page_size() as f64)
}
