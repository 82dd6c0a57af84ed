//! What stands in the file: rows of flights, from csv or csv.gz.

mod columns;
mod error;
mod source;

use std::fs;
use std::io::Read;
use std::path::Path;

use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use columns::Columns;
pub use error::RowsError;
use source::Source;

/// The columns of one row that the totals are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    /// Which aircraft. `NA` is one too: it stands for all whose registration is not known.
    pub tailnum: String,
    /// The airline, two letters.
    pub carrier: String,
    /// The flight number, as the file writes it.
    pub number: String,
    /// The airport it departs from.
    pub origin: String,
    /// The airport it flies to.
    pub dest: String,
    /// When it departed (`517` is 5:17); `None` if it was cancelled.
    pub dep_time: Option<u16>,
    /// How late it departed, in minutes; negative if early.
    pub dep_delay_min: Option<i32>,
    /// How far it is.
    pub distance_miles: u32,
}

/// Reads all rows of `file`, in their order. Whether it is packed is told by its first bytes and not by its name.
pub fn read(file: &Path) -> Result<Vec<Flight>, RowsError> {
    let failed = |source| RowsError::Read { file: file.to_owned(), source };
    let mut data = fs::read(file).map_err(failed)?;
    if data.starts_with(&GZIP_MAGIC) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(data.as_slice()).read_to_end(&mut unpacked).map_err(failed)?;
        data = unpacked;
    }
    parse(&data, file)
}

/// Reads all rows of unpacked csv; `file` is named in errors.
pub fn parse(data: &[u8], file: &Path) -> Result<Vec<Flight>, RowsError> {
    let source = Source { data, file };
    // Rows of another length than the header are let through, since the error of the csv crate does not name the file.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(data);
    let header = reader.headers().map_err(|error| source.not_text(error))?.clone();
    let columns = Columns::find(&header, source)?;
    let mut flights = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| source.not_text(error))? {
        flights.push(columns.flight(&record, source)?);
    }
    if flights.is_empty() { Err(RowsError::Empty { file: file.to_owned() }) } else { Ok(flights) }
}

/// How every gzip file begins (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
