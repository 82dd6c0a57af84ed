//! Where in the file something stands.

use std::path::Path;

use csv::StringRecord;

use super::RowsError;

/// The whole text of a file, and its name: what an error needs to name the place.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) data: &'a [u8],
    pub(super) file: &'a Path,
}

impl Source<'_> {
    /// The line, from 1, where a record begins.
    pub(super) fn line_of(self, record: &StringRecord) -> usize {
        self.line_at(record.position().map_or(0, csv::Position::byte))
    }

    /// The line of the first character at or behind `byte` that does not end a line. (The line that the csv crate tells
    /// is too small in a file with CRLF, and before a row that follows empty lines.)
    fn line_at(self, byte: u64) -> usize {
        let start = usize::try_from(byte).unwrap_or(usize::MAX).min(self.data.len());
        let blank = self.data[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        1 + self.data[..start + blank].iter().filter(|byte| **byte == b'\n').count()
    }

    /// The error of a row that is no csv.
    pub(super) fn not_text(self, source: csv::Error) -> RowsError {
        let line = self.line_at(source.position().map_or(0, csv::Position::byte));
        RowsError::Text { file: self.file.to_owned(), line, source }
    }
}

/// A value as errors show it.
pub(super) fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Values in errors are cut off here: an open quote swallows the rest of the file.
const SHOWN_CHARS_MAX: usize = 40;
