//! What is sent: every row with its ordinal, and, in tests, faults that are planted on purpose.
//!
//! A planted fault changes what is sent and not what is expected, so a run with one must fail: that is how the counters
//! are shown to count.

use std::collections::HashMap;
use std::str::FromStr;

use super::rows::Flight;

/// One row on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The row's place in the file, from 0.
    pub row: usize,
    /// Its place among the rows of its aircraft, from 1.
    pub ordinal: u64,
}

/// All rows in file order, each with its ordinal.
pub fn sendings(flights: &[Flight]) -> Vec<Sending> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    flights
        .iter()
        .enumerate()
        .map(|(row, flight)| {
            let ordinal = counts.entry(&flight.tailnum).or_default();
            *ordinal += 1;
            Sending { row, ordinal: *ordinal }
        })
        .collect()
}

/// A fault to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plant {
    fault: Fault,
    row: Option<usize>,
}

/// What goes wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not sent.
    Drop,
    /// It is sent twice.
    Double,
    /// It changes places with the next row of its aircraft.
    Swap,
}

/// A fault that cannot be planted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlantError {
    /// The text names no fault.
    #[error("{text:?} is no fault to plant: write drop, double or swap, or with a row of the file from 1 on: drop:17")]
    Text {
        /// The text.
        text: String,
    },
    /// The row is not there.
    #[error("there is no row {row} to {fault:?}: the file has {rows}, and another plant may have dropped it")]
    NoRow {
        /// The row, from 1.
        row: usize,
        /// The fault.
        fault: Fault,
        /// Rows of the file.
        rows: usize,
    },
    /// There is no row to change places with.
    #[error("row {row} cannot be swapped: no later row of aircraft {tailnum} is sent")]
    NoPartner {
        /// The row, from 1.
        row: usize,
        /// Its aircraft.
        tailnum: String,
    },
}

impl FromStr for Plant {
    type Err = PlantError;

    fn from_str(text: &str) -> Result<Self, PlantError> {
        let unknown = || PlantError::Text { text: text.to_owned() };
        let (fault, row) = text.split_once(':').map_or((text, None), |(fault, row)| (fault, Some(row)));
        let fault = match fault {
            "drop" => Fault::Drop,
            "double" => Fault::Double,
            "swap" => Fault::Swap,
            _ => return Err(unknown()),
        };
        let row = row.map(|row| row.parse().ok().filter(|row| *row > 0).ok_or_else(unknown)).transpose()?;
        Ok(Self { fault, row })
    }
}

impl Plant {
    /// Plants the fault into what is sent.
    pub fn apply(self, flights: &[Flight], sendings: &mut Vec<Sending>) -> Result<(), PlantError> {
        let row = self.row.unwrap_or_else(|| self.fault.usual_row(flights));
        let at = sendings.iter().position(|sending| sending.row + 1 == row).ok_or(PlantError::NoRow {
            row,
            fault: self.fault,
            rows: flights.len(),
        })?;
        match self.fault {
            Fault::Drop => {
                sendings.remove(at);
            }
            Fault::Double => sendings.insert(at, sendings[at]),
            Fault::Swap => {
                let tailnum = &flights[row - 1].tailnum;
                let same = |other: &Sending| other.row + 1 != row && flights[other.row].tailnum == *tailnum;
                let partner = (at + 1..sendings.len()).find(|other| same(&sendings[*other]));
                let tailnum = tailnum.clone();
                sendings.swap(at, partner.ok_or(PlantError::NoPartner { row, tailnum })?);
            }
        }
        Ok(())
    }
}

impl Fault {
    /// The row, from 1, where the fault is planted if none is named: each fault has a place of its own in the file, and
    /// from there the first row is taken whose aircraft flies again.
    fn usual_row(self, flights: &[Flight]) -> usize {
        let start = match self {
            Self::Drop => flights.len() / 4,
            Self::Double => flights.len() / 2,
            Self::Swap => flights.len() / 4 * 3,
        };
        let flies_again = |row: &usize| flights[row + 1..].iter().any(|other| other.tailnum == flights[*row].tailnum);
        (start..flights.len()).find(flies_again).unwrap_or(start) + 1
    }
}
