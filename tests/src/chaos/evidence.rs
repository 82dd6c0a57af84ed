//! What the clients of all processes, dead and alive, have written down.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use casty::testkit::workload::{Entry, Recording};

use crate::processes::HarnessError;

/// Reads the histories of all lives of all nodes as one.
pub(super) fn gather(histories: Vec<PathBuf>) -> Result<Recording, HarnessError> {
    let mut all = Recording::default();
    for path in histories {
        let failed = |source| HarnessError::File { action: "read", path: path.clone(), source };
        let lines = BufReader::new(File::open(&path).map_err(failed)?).lines().collect::<Result<Vec<_>, _>>();
        all.merge(entries(&lines.map_err(failed)?).map_err(failed)?);
    }
    Ok(all)
}

/// The entries of one life. Its last line may be torn: it belongs to an operation that had not begun or is unknown.
fn entries(lines: &[String]) -> Result<Recording, std::io::Error> {
    let read = |(place, line): (usize, &String)| match serde_json::from_str::<Entry>(line) {
        Err(_) if place + 1 == lines.len() => None,
        entry => Some(entry.map_err(std::io::Error::from)),
    };
    lines.iter().enumerate().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_be_torn_only_at_the_end() {
        let line = r#"{"Counter":{"object":"c","place":0,"operation":null}}"#;
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        assert!(entries(&lines(&[line, &line[..20]])).is_ok());
        assert!(entries(&lines(&[&line[..20], line])).is_err());
    }
}
