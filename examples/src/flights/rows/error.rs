//! Why a file of flights cannot be read.

use std::path::PathBuf;

/// The file cannot be read, or a row of it is malformed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The file cannot be opened, read or unpacked.
    #[error("cannot read {file}: {source}; give a csv or csv.gz file with --input")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The header lacks a column.
    #[error("{file}, line {line}: the header has no column `{column}`; it has: {header}")]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The line of the header.
        line: usize,
        /// The column that is needed.
        column: &'static str,
        /// The columns that are there.
        header: String,
    },
    /// A row is shorter or longer than the header.
    #[error("{file}, line {line}: the row has {found} fields, and the header {expected}; its last field is {last:?}")]
    FieldCount {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1, the header included.
        line: usize,
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        found: usize,
        /// The end of what was read, to find the place.
        last: String,
    },
    /// A value is not of its column's type.
    #[error("{file}, line {line}, column `{column}`: {value:?} is not {expected}")]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1, the header included.
        line: usize,
        /// The column.
        column: &'static str,
        /// What stands there, shortened if it is long.
        value: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// The row is no text.
    #[error("{file}, line {line}: the row is not csv in UTF-8: {source}")]
    Text {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1, the header included.
        line: usize,
        /// What the csv reader said.
        source: csv::Error,
    },
    /// There is a header and nothing else.
    #[error("{file} has no rows")]
    Empty {
        /// The file.
        file: PathBuf,
    },
}
