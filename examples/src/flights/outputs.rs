//! The files that the results go to.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::FlightsError;
use super::options::Job;
use super::report::Figures;
use super::summary::Summaries;
use super::totals;

/// The files, opened before the run: a path that cannot be written is told at once and not after the work.
pub struct Outputs {
    totals: Option<Output>,
    figures: Option<Output>,
}

impl Outputs {
    /// Creates the files that the options name.
    pub fn open(job: &Job) -> Result<Self, FlightsError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(Output::open).transpose();
        Ok(Self { totals: open(&job.out)?, figures: open(&job.json)? })
    }

    /// Writes the totals as csv, and the figures as JSON.
    pub fn write(self, figures: &Figures, summaries: &Summaries) -> Result<(), FlightsError> {
        if let Some(output) = self.totals {
            let flown = summaries.iter().filter(|(_, summary)| summary.totals.flights > 0);
            let all = flown.map(|(tailnum, summary)| (tailnum.clone(), summary.totals.clone())).collect();
            output.write(|out| totals::write_csv(&all, out).map_err(std::io::Error::other))?;
        }
        if let Some(output) = self.figures {
            output.write(|out| {
                serde_json::to_writer_pretty(&mut *out, figures)?;
                writeln!(out)
            })?;
        }
        Ok(())
    }
}

struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    fn open(path: &Path) -> Result<Self, FlightsError> {
        let create = File::create(path);
        let file = create.map_err(|source| FlightsError::Create { file: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn write(self, content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), FlightsError> {
        let mut out = BufWriter::new(self.file);
        let written = content(&mut out).and_then(|()| out.flush());
        written.map_err(|source| FlightsError::Write { file: self.path, source })
    }
}
