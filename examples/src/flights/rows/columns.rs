//! Which fields of a row are read, and as what.

use std::str::FromStr;

use csv::StringRecord;

use super::source::{Source, shortened};
use super::{Flight, RowsError};

/// Where the columns stand.
pub(super) struct Columns {
    count: usize,
    tailnum: Column,
    carrier: Column,
    number: Column,
    origin: Column,
    dest: Column,
    dep_time: Column,
    dep_delay: Column,
    distance: Column,
    others: Vec<Column>,
}

impl Columns {
    /// Finds the columns by their names in the header.
    pub(super) fn find(header: &StringRecord, source: Source<'_>) -> Result<Self, RowsError> {
        let find = |name| header.iter().position(|one| one == name).map(|index| Column { name, index });
        let need = |column| {
            find(column).ok_or_else(|| RowsError::MissingColumn {
                file: source.file.to_owned(),
                line: source.line_of(header),
                column,
                header: shortened(&header.iter().collect::<Vec<_>>().join(",")),
            })
        };
        Ok(Self {
            count: header.len(),
            tailnum: need("tailnum")?,
            carrier: need("carrier")?,
            number: need("flight")?,
            origin: need("origin")?,
            dest: need("dest")?,
            dep_time: need("dep_time")?,
            dep_delay: need("dep_delay")?,
            distance: need("distance")?,
            others: OTHER_NUMBERS.into_iter().filter_map(find).collect(),
        })
    }

    /// Reads one row.
    pub(super) fn flight(&self, record: &StringRecord, source: Source<'_>) -> Result<Flight, RowsError> {
        let row = Row { record, source };
        row.check_length(self.count)?;
        for &column in &self.others {
            row.number_or_na::<i32>(column)?;
        }
        // The number stays the text that it is, since the route hash is over the text.
        row.number::<u32>(self.number)?;
        Ok(Flight {
            tailnum: row.text(self.tailnum)?,
            carrier: row.text(self.carrier)?,
            number: row.text(self.number)?,
            origin: row.text(self.origin)?,
            dest: row.text(self.dest)?,
            dep_time: row.number_or_na(self.dep_time)?,
            dep_delay_min: row.number_or_na(self.dep_delay)?,
            distance_miles: row.number(self.distance)?,
        })
    }
}

/// How the data writes that a value is not known.
const NOT_KNOWN: &str = "NA";

/// Columns that no total needs. They may be absent; where one is present, a row without a number in it is malformed.
const OTHER_NUMBERS: [&str; 10] =
    ["year", "month", "day", "sched_dep_time", "arr_time", "sched_arr_time", "arr_delay", "air_time", "hour", "minute"];

#[derive(Clone, Copy)]
struct Column {
    name: &'static str,
    index: usize,
}

#[derive(Clone, Copy)]
struct Row<'a> {
    record: &'a StringRecord,
    source: Source<'a>,
}

impl Row<'_> {
    fn check_length(self, expected: usize) -> Result<(), RowsError> {
        if self.record.len() == expected {
            return Ok(());
        }
        Err(RowsError::FieldCount {
            file: self.source.file.to_owned(),
            line: self.source.line_of(self.record),
            expected,
            found: self.record.len(),
            last: shortened(self.record.iter().next_back().unwrap_or_default()),
        })
    }

    fn text(self, column: Column) -> Result<String, RowsError> {
        let value = self.value(column);
        if value.is_empty() { Err(self.malformed(column, "a text: it is empty")) } else { Ok(value.to_owned()) }
    }

    fn number<T: FromStr>(self, column: Column) -> Result<T, RowsError> {
        self.value(column).parse().map_err(|_| self.malformed(column, "a whole number in range"))
    }

    fn number_or_na<T: FromStr>(self, column: Column) -> Result<Option<T>, RowsError> {
        let value = self.value(column);
        if value == NOT_KNOWN {
            return Ok(None);
        }
        value.parse().map(Some).map_err(|_| self.malformed(column, "a whole number in range, or NA"))
    }

    fn value(&self, column: Column) -> &str {
        self.record.get(column.index).unwrap_or_default()
    }

    fn malformed(self, column: Column, expected: &'static str) -> RowsError {
        RowsError::Value {
            file: self.source.file.to_owned(),
            line: self.source.line_of(self.record),
            column: column.name,
            value: shortened(self.value(column)),
            expected,
        }
    }
}
