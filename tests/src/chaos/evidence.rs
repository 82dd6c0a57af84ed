//! What the clients of all processes, dead and alive, have written down.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use casty::testkit::workload::{Entry, Recording};

use crate::processes::HarnessError;

/// Reads the histories of all lives of all nodes as one.
pub fn gather(histories: Vec<PathBuf>) -> Result<Recording, HarnessError> {
    let mut all = Recording::default();
    for path in histories {
        let failed = |source| HarnessError::File { action: "read", path: path.clone(), source };
        let lines = BufReader::new(File::open(&path).map_err(failed)?).lines().collect::<Result<Vec<_>, _>>();
        all.merge(entries(&lines.map_err(failed)?).map_err(failed)?);
    }
    Ok(all)
}

/// Copies the files of a folder into another.
pub(super) fn keep(folder: &Path, to: &Path) -> Result<(), HarnessError> {
    let copied = fs::create_dir_all(to).and_then(|()| {
        fs::read_dir(folder)?.try_for_each(|entry| {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), to.join(entry.file_name())).map(drop)
            } else {
                Ok(())
            }
        })
    });
    copied.map_err(|source| HarnessError::File { action: "keep the evidence in", path: to.to_owned(), source })
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
