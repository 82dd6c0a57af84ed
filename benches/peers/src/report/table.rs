//! A table in Markdown, with columns of even width.

use std::fmt;

/// Names on the left, numbers on the right.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<'a>(head: impl IntoIterator<Item = &'a &'static str>) -> Self {
        Self { head: head.into_iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row. A cell without a number is a dash.
    pub(super) fn push(&mut self, name: String, cells: Vec<Option<f64>>) {
        let cells = cells.into_iter().map(|cell| cell.map_or_else(|| "–".to_owned(), number));
        self.rows.push(std::iter::once(name).chain(cells).collect());
    }
}

/// Three digits, or all before the point. Nobody reads more out of a measurement.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or_default().max(3);
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        for (at, cells) in lines().enumerate() {
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                if column == 0 {
                    write!(f, "| {cell:<width$} |")?;
                } else {
                    write!(f, " {cell:>width$} |")?;
                }
            }
            writeln!(f)?;
            if at == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let rule = "-".repeat(width - usize::from(column > 0));
                    write!(f, "{}", if column == 0 { format!("| {rule} |") } else { format!(" {rule}: |") })?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, number};

    #[test]
    fn numbers_have_three_digits() {
        let numbers = [0.0, 0.014, 1.0, 9.996, 12.34, 99.96, 58_661.5].map(number);
        assert_eq!(numbers, ["0", "0.01", "1.00", "10.0", "12.3", "100", "58662"]);
    }

    #[test]
    fn columns_are_even() {
        let mut table = Table::new(&["", "casty", "b"]);
        table.push("tell (ns)".to_owned(), vec![Some(21.25), None]);
        let expected = "|           | casty |   b |\n| --------- | ----: | --: |\n| tell (ns) |  21.2 |   – |\n";
        assert_eq!(table.to_string(), expected);
    }
}
