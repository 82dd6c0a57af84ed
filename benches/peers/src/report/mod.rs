//! The figures, as tables to read and as JSON.

mod statistics;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

use self::statistics::median;
use self::table::Table;
use crate::cases::Unit;
use crate::meter::Sample;

/// All rows of a run.
pub struct Report {
    competitors: Vec<&'static str>,
    rows: Vec<Row>,
}

/// One kind of work, done by all competitors.
pub struct Row {
    /// What stands in front of the row.
    pub name: String,
    /// The unit of its figures.
    pub unit: Unit,
    /// Whether ratios mean something. They do not where figures may be zero.
    pub compared: bool,
    /// The rounds of each competitor, in the order of the report's competitors.
    pub samples: Vec<Vec<Sample>>,
}

/// What a competitor's rounds come to.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figure {
    median: f64,
    min: f64,
    max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<f64>,
    /// To the base, as [`Row::ratio`].
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    unit: &'a str,
    figures: BTreeMap<&'a str, Figure>,
}

impl Report {
    /// A report on these competitors, without rows.
    pub fn new(competitors: Vec<&'static str>) -> Self {
        Self { competitors, rows: Vec::new() }
    }

    /// Adds a row at the end.
    pub fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The medians of all rows.
    pub fn medians(&self) -> String {
        self.table(|row, at| Some(row.median(at))).to_string()
    }

    /// The medians of processor time, of the rows that have it.
    pub fn cpu(&self) -> String {
        self.table(Row::cpu).to_string()
    }

    /// Ratios to the competitor `base`, of the rows that are compared.
    pub fn ratios(&self, base: &str) -> String {
        let base = self.place(base);
        self.table(|row, at| row.ratio(at, base?)).to_string()
    }

    /// All figures. The object is made for programs: the names of rows and competitors are those of the tables.
    pub fn json(&self, base: &str) -> Vec<impl Serialize> {
        let base = self.place(base);
        let figure = |row: &Row, at: usize| {
            let values = || row.samples[at].iter().map(|sample| sample.value);
            Figure {
                median: row.median(at),
                min: values().fold(f64::INFINITY, f64::min),
                max: values().fold(f64::NEG_INFINITY, f64::max),
                cpu: row.cpu(at),
                ratio: base.and_then(|base| row.ratio(at, base)),
            }
        };
        let written = |row| {
            let figures = self.competitors.iter().enumerate().map(|(at, name)| (*name, figure(row, at))).collect();
            Written { name: &row.name, unit: row.unit.symbol(), figures }
        };
        self.rows.iter().map(written).collect::<Vec<_>>()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.competitors.iter().position(|competitor| *competitor == name)
    }

    /// A table of the rows that have a cell for any competitor.
    fn table(&self, cell: impl Fn(&Row, usize) -> Option<f64>) -> Table {
        let mut table = Table::new([""].iter().chain(&self.competitors));
        for row in &self.rows {
            let cells: Vec<_> = (0..self.competitors.len()).map(|at| cell(row, at)).collect();
            if cells.iter().any(Option::is_some) {
                table.push(row.label(), cells);
            }
        }
        table
    }
}

impl Row {
    fn label(&self) -> String {
        match self.unit {
            Unit::Count => self.name.clone(),
            unit => format!("{} ({})", self.name, unit.symbol()),
        }
    }

    fn median(&self, at: usize) -> f64 {
        median(self.samples[at].iter().map(|sample| sample.value))
    }

    fn cpu(&self, at: usize) -> Option<f64> {
        let cpu: Option<Vec<f64>> = self.samples[at].iter().map(|sample| sample.cpu).collect();
        cpu.map(median)
    }

    /// The median of the ratios of the rounds. What disturbs one round disturbs both of its figures.
    fn ratio(&self, at: usize, base: usize) -> Option<f64> {
        if !self.compared {
            return None;
        }
        let rounds = self.samples[at].iter().zip(&self.samples[base]);
        Some(median(rounds.map(|(sample, base)| sample.value / base.value)))
    }
}
