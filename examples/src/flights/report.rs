//! What the job found, for people and for programs.

use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::kills::{Kill, UNANSWERED_MIN};
use super::ledger::Counters;
use super::stream::Streamed;
use super::summary::Summaries;

/// The figures of one run. As JSON the fields have these names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Flights that the entities counted.
    pub flights: u64,
    /// Entities that counted any.
    pub entities: usize,
    /// Rows that did not arrive.
    pub lost: u64,
    /// Rows that arrived once more.
    pub duplicated: u64,
    /// Rows that arrived after a later one of their aircraft.
    pub out_of_order: u64,
    /// Answered messages a second, over the whole stream, the failover included, and without what it stood still for.
    pub events_per_second: f64,
    /// Over the groups that a killed node led, the longest time from the kill to the first answer of a write issued
    /// after it. `None` if no node was killed, or none of its groups was written to afterwards.
    pub failover_ms: Option<f64>,
    /// The longest time from a message to its answer.
    pub latency_ms_max: f64,
    /// Nodes that were killed.
    pub killed: usize,
    /// The longest time from the start of a process in place of a killed one until it took part. `None` if none was started.
    pub rejoin_ms: Option<f64>,
    /// Replicas of data groups that the nodes hold which took the places of killed ones.
    pub rejoined_groups: Option<usize>,
    /// Data groups that those nodes lead.
    pub rejoined_leads: Option<usize>,
}

/// The nodes that took the places of killed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejoined {
    /// The longest time from the start of such a node until it took part.
    pub longest: Duration,
    /// Replicas of data groups that they hold.
    pub groups: usize,
    /// Data groups that they lead.
    pub leads: usize,
}

impl Figures {
    /// Puts together what was measured and what the entities said.
    pub fn new(streamed: &Streamed, rejoined: Option<Rejoined>, summaries: &Summaries) -> Self {
        let mut counters = Counters::default();
        summaries.values().for_each(|summary| counters += summary.counters);
        Self {
            flights: summaries.values().map(|summary| summary.totals.flights).sum(),
            entities: summaries.values().filter(|summary| summary.totals.flights > 0).count(),
            lost: counters.lost,
            duplicated: counters.duplicated,
            out_of_order: counters.out_of_order,
            events_per_second: rounded(streamed.messages as f64 / streamed.time.as_secs_f64().max(f64::EPSILON)),
            failover_ms: streamed.kills.iter().filter_map(Kill::failover).max().map(milliseconds),
            latency_ms_max: milliseconds(streamed.latency_max),
            killed: streamed.kills.len(),
            rejoin_ms: rejoined.map(|rejoined| milliseconds(rejoined.longest)),
            rejoined_groups: rejoined.map(|rejoined| rejoined.groups),
            rejoined_leads: rejoined.map(|rejoined| rejoined.leads),
        }
    }

    /// Whether every row arrived once and in order.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.out_of_order == 0
    }

    /// The table, with a line for each kill below it.
    pub fn table(&self, kills: &[Kill]) -> String {
        let time = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.0} ms"));
        let count = |count: Option<usize>| count.map_or("-".to_owned(), |count| count.to_string());
        let rows = [
            ("flights", self.flights.to_string()),
            ("entities", self.entities.to_string()),
            ("lost", self.lost.to_string()),
            ("duplicated", self.duplicated.to_string()),
            ("out of order", self.out_of_order.to_string()),
            ("events per second", format!("{:.0}", self.events_per_second)),
            ("failover", time(self.failover_ms)),
            ("largest latency", format!("{:.0} ms", self.latency_ms_max)),
            ("killed", self.killed.to_string()),
            ("rejoined within", time(self.rejoin_ms)),
            ("rejoined groups", count(self.rejoined_groups)),
            ("rejoined leads", count(self.rejoined_leads)),
        ];
        let mut lines: Vec<String> = rows.into_iter().map(|(name, value)| format!("{name:<18}{value:>12}")).collect();
        lines.extend(kills.iter().map(sentence));
        lines.join("\n")
    }
}

/// Writes a line to stderr. A closed stderr is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn sentence(kill: &Kill) -> String {
    let mut text =
        format!("killed {}, which led {} groups, with {} unanswered", kill.node, kill.groups, kill.unanswered);
    if kill.unanswered < UNANSWERED_MIN {
        text += &format!(" (fewer than {UNANSWERED_MIN}: the window or the file is too small)");
    }
    if kill.unmeasured() > 0 {
        text +=
            &format!("; {} of its groups got no write afterwards and do not count for the failover", kill.unmeasured());
    }
    text
}

fn milliseconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

/// To one digit behind the point.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
